import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

/** A tool or a prompt, as a catalog lists it. */
export interface Described {
  name: string;
  description: string;
}

/** What a server offers. */
export interface Offer {
  tools: Described[];
  prompts: Described[];
}

/**
 * What the program of this path offers to Claude Desktop, asked over MCP, on a buffer of its own. Throws if it does not
 * start or answer.
 */
export async function describeServer(program: string): Promise<Offer> {
  const home = mkdtempSync(join(tmpdir(), "relay-describe-"));
  const client = new Client({ name: "claude-ai", version: "0.1.0" });
  const env = { HOME: home, USERPROFILE: home, RELAY_NOTIFY: "off" };
  const args = ["--client", "desktop"];
  try {
    await client.connect(new StdioClientTransport({ command: program, args, env, cwd: home }));
    const [{ tools }, { prompts }] = await Promise.all([client.listTools(), client.listPrompts()]);
    return { tools: tools.map(described), prompts: prompts.map(described) };
  } finally {
    await client.close();
    rmSync(home, { recursive: true, force: true });
  }
}

function described({
  name,
  description = "",
}: {
  name: string;
  description?: string | undefined;
}): Described {
  return { name, description };
}
