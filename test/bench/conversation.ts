import { join } from "node:path";
import { readLines } from "../support/lines.ts";
import { notifiersFrom } from "../support/notifiers.ts";
import { relayBinary, type Sandbox } from "../support/sandbox.ts";
import { initialize, toolCall } from "../support/server-process.ts";

/** A server spoken to by hand, with as little as possible of our own in between. */
export interface Conversation {
  pid: number;
  /** Sends a request. Resolves when its answer is read. Throws if that is an error. */
  ask(method: string, params?: object): Promise<void>;
  /** Calls a tool, likewise. */
  call(tool: string, args?: Record<string, unknown>): Promise<void>;
  /** Ends the process. */
  close(): Promise<void>;
}

interface Answer {
  error?: unknown;
  result?: { isError?: boolean };
}

/**
 * Starts relay or another server as one of the two Claudes does, or another client, over the sandbox's buffer or another
 * file there, and introduces the client. Its process ends with the sandbox.
 */
export async function converse(
  box: Sandbox,
  client: "desktop" | "code" | null,
  buffer = ".relay_buffer.db",
  args: readonly string[] = [],
  program = [relayBinary],
): Promise<Conversation> {
  const named = client ? ["--client", client] : [];
  const child = Bun.spawn([...notifiersFrom(box.programs), ...program, ...named, ...args], {
    env: { ...box.env, RELAY_DB: join(box.home, buffer) },
    cwd: box.home,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const close = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  box.defer(close);
  const waiting = new Map<number, (answer: Answer) => void>();
  const read = async () => {
    for await (const line of readLines(child.stdout)) {
      const answer = JSON.parse(line);
      waiting.get(answer.id)?.(answer);
    }
    for (const resolve of waiting.values()) resolve({ error: "the server has ended" });
  };
  void read();
  const tell = (message: object) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    child.stdin.flush();
  };
  const ask = async (request: { id: number; method: string; params: object }) => {
    const answered = new Promise<Answer>((resolve) => waiting.set(request.id, resolve));
    tell(request);
    const answer = await answered;
    if (answer.error || answer.result?.isError) throw new Error(JSON.stringify(answer));
  };
  await ask(initialize());
  tell({ method: "notifications/initialized" });
  let lastId = 0;
  const nextId = () => ++lastId;
  return {
    pid: child.pid,
    close,
    ask: (method, params = {}) => ask({ id: nextId(), method, params }),
    call: (tool, args) => ask(toolCall(nextId(), tool, args)),
  };
}
