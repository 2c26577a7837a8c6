import type { Client } from "../../src/core/client.ts";
import { initialize } from "../support/server.ts";
import { judgeLine, judgeLog, judgeRest, judgeServerEnd } from "./judge/processes.ts";
import type { Lane, Started, World } from "./world.ts";

/** What a server answered: the text of its result, or of its error. */
export interface Answer {
  text: string;
  refused: boolean;
  at: number;
}

/** A client with a server of its own, that speaks to it as fast as it likes. */
export interface Session {
  started: Started;
  client: Client;
  /** Asks; null is the answer of a process that is gone, and of a request that was cancelled. */
  ask(method: string, params: Record<string, unknown>): { id: number; answer: Promise<Answer | null> };
  cancel(id: number): void;
  /** Resolves when it ended, and everything it wrote was read. */
  ended: Promise<void>;
  /** Calls back at the next answer to a request that is not yet asked. */
  onSettled(settled: () => void): void;
}

/** Starts a server for a client and introduces the client; null if it was killed first. */
export async function openSession(world: World, lane: Lane, client: Client): Promise<Session | null> {
  const args = client === "code" ? [] : ["--client", "desktop"];
  const env = client === "code" ? { CLAUDECODE: "1" } : {};
  const started = world.start(lane, `${client} server`, args, { env });
  world.count("servers started");
  const session = speak(world, started, client);
  const info =
    client === "code" ? { name: "claude-code", version: "2.1.330" } : { name: "claude-ai", version: "0.1.0" };
  const { method, params } = initialize(info);
  const { answer } = session.ask(method, params);
  if ((await answer) === null) return null;
  write(started, { method: "notifications/initialized" });
  return session;
}

function speak(world: World, started: Started, client: Client): Session {
  const { actor, child } = started;
  const waiting = new Map<number, (answer: Answer | null) => void>();
  let unsettled: { after: number; settled: () => void }[] = [];
  let asked = 0;
  const hear = (line: string) => {
    const answer = judgeLine(world, actor, line, asked);
    if (!answer) return;
    const { id, message } = answer;
    for (const { after, settled } of unsettled) if (id >= after) settled();
    unsettled = unsettled.filter(({ after }) => id < after);
    waiting.get(id)?.(answerOf(message, world.now()));
    waiting.delete(id);
  };
  const reading = readLines(child.stdout, hear).then((rest) => judgeRest(world, actor, rest));
  const logged = started.errors.then((text) => judgeLog(world, actor, text));
  const ended = Promise.all([reading, logged, child.exited]).then(() => {
    for (const resolve of waiting.values()) resolve(null);
    waiting.clear();
    judgeServerEnd(world, actor, child);
  });
  return {
    started,
    client,
    ask(method, params) {
      const id = asked++;
      const { promise, resolve } = Promise.withResolvers<Answer | null>();
      if (Number.isFinite(actor.died)) resolve(null);
      else waiting.set(id, resolve);
      write(started, { id, method, params });
      return { id, answer: promise };
    },
    cancel: (requestId) => write(started, { method: "notifications/cancelled", params: { requestId } }),
    ended,
    onSettled: (settled) => void unsettled.push({ after: asked, settled }),
  };
}

function write({ child }: Started, message: Record<string, unknown>): void {
  try {
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    void Promise.resolve(child.stdin.flush()).catch(() => {});
  } catch {} // it was killed
}

interface Result {
  isError?: boolean;
  content?: { text: string }[];
  messages?: { content: { text: string } }[];
}

function answerOf({ result, error }: Record<string, unknown>, at: number): Answer {
  if (error) return { text: (error as { message: string }).message, refused: true, at };
  const { isError = false, content, messages } = result as Result;
  const text = content?.[0]?.text ?? messages?.[0]?.content.text ?? "";
  return { text: isError ? text.replace(/^relay: /, "") : text, refused: isError, at };
}

async function readLines(stream: ReadableStream<Uint8Array>, each: (line: string) => void): Promise<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) each(line);
  }
  return rest;
}
