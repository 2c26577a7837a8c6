import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

/**
 * Starts a server of relay with this command line and environment, as a Claude does, and ends it after `use`. Answers the
 * result of `use`. Throws when the server does not start, or does not answer within a minute.
 */
export async function withServer<Answer>(
  argv: readonly string[],
  claude: "desktop" | "code",
  env: Record<string, string> & { HOME: string },
  use: (server: Client) => Promise<Answer>,
): Promise<Answer> {
  const [command = "", ...args] = [...argv, "--client", claude];
  const client = new Client({ name: "release", version: "1" });
  try {
    await client.connect(new StdioClientTransport({ command, args, env, cwd: env.HOME }));
    return await use(client);
  } finally {
    await client.close();
  }
}
