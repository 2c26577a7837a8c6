import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { readLines } from "./lines.ts";
import { relayBinary, type Sandbox, until } from "./sandbox.ts";

type Child = Subprocess<"pipe", "pipe" | number, "pipe">;

/** A server without the SDK's client, for input that this would never write. */
export interface Server {
  child: Child;
  /** Every line of standard output so far, parsed. Empty while `reading` is off. */
  lines: Record<string, unknown>[];
  stderr(): string;
  /** Resolves once every line of its outputs was read, after its end. */
  drained: Promise<unknown>;
  /** Writes raw bytes or text to standard input. */
  write(bytes: string | Uint8Array): void;
  /** Sends a request or notification. */
  send(message: Record<string, unknown>): void;
  /** The answer to the request of this id. */
  answer(id: number | string, milliseconds?: number): Promise<Record<string, unknown>>;
}

/** How to start one. */
export interface ServerOptions {
  /** The binary under test if left out. */
  command?: string[];
  args?: string[];
  env?: Record<string, string>;
  clientInfo?: { name: string; version: string };
  /** false: standard output is a pipe of 64 KB that is never read. */
  reading?: boolean;
  /** The id of the first request of a session; 0 if left out. */
  id?: string;
}

/** Starts a server in the sandbox; it is killed with the sandbox if it is still there. */
export function startServer(
  box: Sandbox,
  { command = [relayBinary], args = ["--client", "code"], env = {}, reading = true }: ServerOptions = {},
): Server {
  const child = Bun.spawn([...command, ...args], {
    env: { ...box.env, ...env },
    cwd: box.home,
    stdin: "pipe",
    stdout: reading ? "pipe" : blockedPipe(box),
    stderr: "pipe",
  });
  box.defer(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  const lines: Record<string, unknown>[] = [];
  let errors = "";
  const drained = Promise.all([
    child.stdout instanceof ReadableStream && hear(child.stdout, (line) => lines.push(JSON.parse(line))),
    hear(child.stderr, (line) => {
      errors += `${line}\n`;
    }),
  ]);
  const write = (bytes: string | Uint8Array) => {
    child.stdin.write(bytes);
    child.stdin.flush();
  };
  return {
    child,
    lines,
    stderr: () => errors,
    drained,
    write,
    send: (message) => write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`),
    async answer(id, milliseconds) {
      const find = () => lines.find((line) => line.id === id && !("method" in line));
      await until(`an answer to request ${id}`, () => find() !== undefined, milliseconds);
      return find() ?? {};
    },
  };
}

/** A pipe of 64 KB that is never read. Bun.spawn's own is a socket that Bun empties by itself. */
export function blockedPipe(box: Sandbox): number {
  const path = join(box.home, `output-${crypto.randomUUID()}`);
  Bun.spawnSync(["mkfifo", path]);
  const descriptor = openSync(path, constants.O_RDWR);
  box.defer(() => closeSync(descriptor));
  return descriptor;
}

/** Starts a server and goes through the handshake. */
export async function startSession(box: Sandbox, options: ServerOptions = {}): Promise<Server> {
  const server = startServer(box, options);
  const id = options.id ?? 0;
  server.send({ ...initialize(options.clientInfo), id });
  if (options.reading !== false) await server.answer(id);
  server.send({ method: "notifications/initialized" });
  return server;
}

/** The first request of every client, with id 0. */
export function initialize(clientInfo = { name: "test-client", version: "1.0.0" }) {
  return {
    id: 0,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo },
  };
}

/** A call of a tool. */
export function toolCall(id: number, name: string, args: Record<string, unknown> = {}) {
  return { id, method: "tools/call", params: { name, arguments: args } };
}

async function hear(stream: ReadableStream<Uint8Array>, each: (line: string) => void): Promise<void> {
  for await (const line of readLines(stream)) each(line);
}
