/** A program and its environment. */
export interface Server {
  argv: readonly string[];
  env: Record<string, string>;
}

const text = "hello from the release";

/**
 * Sends a message through a server of Desktop's and gets it through one of Code's, as their clients do: MCP, a line for
 * each message. Throws when it does not arrive, a server takes more than two minutes, or does not end by itself.
 */
export async function exchange(server: Server): Promise<void> {
  const receipt = await call(server, "desktop", "relay_send", { message: text });
  if (!receipt.includes('"ok":true')) throw new Error(`relay_send answered: ${receipt}`);
  const page = await call(server, "code", "relay_fetch", {});
  if (!page.includes(`\n${text}\n`)) throw new Error(`relay_fetch answered: ${page}`);
}

async function call(
  { argv, env }: Server,
  client: "desktop" | "code",
  tool: string,
  args: Record<string, unknown>,
): Promise<string> {
  const child = Bun.spawn([...argv, "--client", client], {
    env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  const answers = lines(child.stdout);
  const ask = async (id: number, method: string, params: Record<string, unknown>) => {
    try {
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
      await child.stdin.flush();
    } catch {} // it has ended, so that no answer comes
    for await (const line of answers) {
      const answer = parse(line);
      if (answer.id === id) return answer;
    }
    throw new Error(`the server for ${client} ended before it answered ${method}`);
  };
  const clientInfo = { name: "release", version: "1" };
  await ask(0, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
  const answer = await ask(1, "tools/call", { name: tool, arguments: args });
  child.stdin.end();
  if ((await child.exited) !== 0) throw new Error(`the server for ${client} ended with ${child.exitCode}`);
  return answer.result?.content?.[0]?.text ?? JSON.stringify(answer);
}

interface Answer {
  id?: number;
  result?: { content?: { text?: string }[] };
}

function parse(line: string): Answer {
  try {
    return Object(JSON.parse(line));
  } catch {
    throw new Error(`relay does not speak MCP here, but: ${line}`);
  }
}

/** Yields each line of a stream. It can be left and taken up again. */
function lines(stream: ReadableStream<Uint8Array>): AsyncIterable<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  const next = async (): Promise<IteratorResult<string>> => {
    while (!rest.includes("\n")) {
      const { done, value } = await reader.read();
      if (done) return { done, value: undefined };
      rest += decoder.decode(value, { stream: true });
    }
    const end = rest.indexOf("\n");
    const value = rest.slice(0, end);
    rest = rest.slice(end + 1);
    return { done: false, value };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
