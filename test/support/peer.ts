import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ListRootsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { relayBinary, type Sandbox } from "./sandbox.ts";

/** How the client of a server introduces itself, and how the server is started. */
export interface PeerOptions {
  /** relay itself if left out. */
  command?: string;
  args?: string[];
  env?: Record<string, string>;
  name?: string;
  version?: string;
  /** The addresses of its roots; it has none of its own if they are left out. */
  roots?: string[];
}

/** The answer of a tool. */
interface Answer {
  text: string;
  isError: boolean;
}

/** The SDK's own client with a relay server of its own, over stdio. */
export interface Peer {
  client: Client;
  pid: number;
  call(tool: string, args?: Record<string, unknown>): Promise<Answer>;
  /** Like `call` for a send that must succeed. */
  send(message: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The text of a fetch that must succeed. */
  fetch(args?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

/** Starts a server in the sandbox and connects to it. It is stopped with the sandbox. */
export async function connect(box: Sandbox, options: PeerOptions = {}): Promise<Peer> {
  const { command = relayBinary, args = [], env = {}, name = "test-client", version = "1.0.0" } = options;
  const { roots } = options;
  const client = new Client({ name, version }, roots && { capabilities: { roots: {} } });
  if (roots) client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: roots.map((uri) => ({ uri })) }));
  const transport = new StdioClientTransport({
    command,
    args,
    env: { ...box.env, ...env },
    cwd: box.home,
    stderr: "ignore",
  });
  await client.connect(transport);
  const pid = transport.pid ?? 0;
  const call = async (tool: string, toolArgs: Record<string, unknown> = {}): Promise<Answer> => {
    const result = await client.callTool({ name: tool, arguments: toolArgs });
    const [first] = result.content as { text?: string }[];
    return { text: first?.text ?? "", isError: result.isError === true };
  };
  const must = async (tool: string, toolArgs: Record<string, unknown>) => {
    const { text, isError } = await call(tool, toolArgs);
    if (isError) throw new Error(text);
    return text;
  };
  box.defer(() => client.close());
  return {
    client,
    pid,
    call,
    send: async (message, extra = {}) => JSON.parse(await must("relay_send", { message, ...extra })),
    fetch: (fetchArgs = {}) => must("relay_fetch", fetchArgs),
    close: () => client.close(),
  };
}

/** A server for Desktop, and one for Code, on the same buffer, as the two Claudes start them, or through this program. */
export async function connectBoth(
  box: Sandbox,
  through: readonly string[] = [],
): Promise<{ desktop: Peer; code: Peer }> {
  const [command, ...args] = [...through, relayBinary];
  const [desktop, code] = await Promise.all([
    connect(box, { command, args, name: "claude-ai", version: "0.1.0" }),
    connect(box, { command, args, name: "claude-code", version: "2.1.330", env: { CLAUDECODE: "1" } }),
  ]);
  return { desktop, code };
}

/** The texts of the messages on a page, cut out of their frames. */
export function textsOf(page: string): string[] {
  const mark = /^Between the lines marked (\w+) stand/m.exec(page)?.[1];
  if (!mark) return [];
  const frame = new RegExp(`^--- ${mark} message \\d+, .*\\n([^]*?)\\n--- ${mark} end of message \\d+$`, "gm");
  return [...page.matchAll(frame)].map((match) => match[1] ?? "");
}
