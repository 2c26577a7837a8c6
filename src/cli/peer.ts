import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

// Two processes have to start; a machine that needs longer has a problem worth telling.
const requestMilliseconds = 10_000;

/** How to start a server, and what its client calls itself. */
export interface PeerOptions {
  command: string;
  args: string[];
  env: Record<string, string>;
  version: string;
}

/** A real MCP client with a server of its own. */
export interface Peer {
  /** Calls a tool. Throws what went wrong, in the tool's words if it has any. */
  call(tool: string, args: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts a server and connects to it. This module imports nothing of relay's own, because whatever it shared with the
 * command line would be one more file to load for every command. Throws what went wrong.
 */
export async function connect({ version, ...server }: PeerOptions): Promise<Peer> {
  const client = new Client({ name: "relay-demo", version });
  const timeout = requestMilliseconds;
  await client.connect(new StdioClientTransport({ ...server, stderr: "inherit" }), { timeout });
  return {
    async call(name, args) {
      const result = await client.callTool({ name, arguments: args }, undefined, { timeout });
      const [first] = result.content as { text?: string }[];
      const text = first?.text ?? "";
      if (result.isError) throw new Error(text.replace(/^relay: /, ""));
      return text;
    },
    close: () => client.close(),
  };
}

/**
 * Starts a server, asks what it is and what it offers, and ends it. Throws what went wrong, with the last thing that the
 * server said on standard error.
 */
export async function probe({
  version,
  folder,
  ...server
}: PeerOptions & { folder: string }): Promise<{ version: string; tools: string[] }> {
  const client = new Client({ name: "relay-doctor", version });
  const transport = new StdioClientTransport({ ...server, cwd: folder, stderr: "pipe" });
  let said = "";
  transport.stderr?.on("data", (chunk) => {
    said = (said + chunk).slice(-2_000);
  });
  const timeout = requestMilliseconds;
  try {
    await client.connect(transport, { timeout });
    const { tools } = await client.listTools(undefined, { timeout });
    return { version: client.getServerVersion()?.version ?? "", tools: tools.map(({ name }) => name) };
  } catch (error) {
    const last = said.trim().split("\n").at(-1);
    throw new Error([String((error as Error).message), last].filter(Boolean).join(": "));
  } finally {
    await client.close();
  }
}
