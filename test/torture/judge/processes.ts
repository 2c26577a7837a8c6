import { windowSize } from "../../../src/core/limits.ts";
import type { Actor } from "../history.ts";
import type { World } from "../world.ts";
import { isSentence } from "./refusals.ts";

/** How a process ended: with a status, or by a signal. */
export interface End {
  exitCode: number | null;
  signalCode: string | number | null;
}

/** What a server wrote as a line, if it answers a request that was asked; null if it is anything else. */
export function judgeLine(
  world: World,
  { name }: Actor,
  line: string,
  asked: number,
): { id: number; message: Record<string, unknown> } | null {
  const message = parse(line);
  const { id } = message ?? {};
  if (message?.jsonrpc === "2.0" && typeof id === "number" && id < asked && !("method" in message))
    return { id, message };
  world.violated("nothing but MCP on stdout", `${name} wrote a strange line`, line.slice(0, 500));
  return null;
}

function parse(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** Nothing stands behind the last line of a server, unless it was killed. */
export function judgeRest(world: World, { name, killed }: Actor, rest: string): void {
  if (rest === "" || Number.isFinite(killed)) return;
  world.violated("nothing but MCP on stdout", `${name} ended in the middle of a line`, rest.slice(0, 200));
}

/** A server ends when it is asked to, with 0. */
export function judgeServerEnd(world: World, actor: Actor, { exitCode }: End): void {
  const { name, killed, asked } = actor;
  if (Number.isFinite(killed)) return;
  if (!Number.isFinite(asked)) world.violated("a server stays", `${name} ended unasked`, actor);
  else if (exitCode !== 0) world.violated("a server ends with 0", `${name} ended with ${exitCode}`, actor);
}

/** No signal ends a process but SIGKILL, sent by this run. */
export function judgeSignal(world: World, actor: Actor, { signalCode }: End): void {
  if (!signalCode || (signalCode === "SIGKILL" && Number.isFinite(actor.killed))) return;
  world.violated("nothing crashes", `${actor.name} ended with ${signalCode}`, actor);
}

/** What a process writes to standard error is for people. */
export function judgeErrors(world: World, { name }: Actor, stderr: string): void {
  if (/^\s+at .+[:(]/m.test(stderr))
    world.violated("no stack trace", `${name} printed one`, stderr.slice(0, 2_000));
}

/** A server says on standard error what it is known to say, a line for each; one that was killed may not end its last. */
export function judgeLog(world: World, { name, killed }: Actor, stderr: string): void {
  const lines = stderr.split("\n");
  const rest = lines.pop();
  if (rest && !Number.isFinite(killed)) lines.push(rest);
  const strange = lines.find(
    (line) => !line.startsWith("relay: ") || !isSentence(line.slice("relay: ".length)),
  );
  if (strange !== undefined)
    world.violated("a server says what it is known to say", `${name} said ${strange.slice(0, 500)}`);
}

/** A command that fails says why in a sentence, or as JSON; one that was killed may say anything. */
export function judgeSentence(world: World, { name }: Actor, status: number | null, stderr: string): void {
  if (status === null) return;
  const isError = /^(relay: [^\n]+\n|\{"ok":false[^\n]+\}\n)$/.test(stderr);
  if (status === 0 ? stderr !== "" : !isError)
    world.violated("errors are one sentence on stderr", `${name} said ${JSON.stringify(stderr)}`);
}

/** A hook that was not killed ends well, and puts nothing into the conversation. */
export function judgeHook(world: World, status: number | null, stdout: string): void {
  if (status !== null && (status !== 0 || stdout !== ""))
    world.violated("a hook is silent", `it ended with ${status}, and printed ${JSON.stringify(stdout)}`);
}

/** A status line is one short line, or none. */
export function judgeStatusLine(world: World, stdout: string): void {
  if (!/^(\d+ from Desktop\n)?$/.test(stdout)) world.violated("a status line is one", JSON.stringify(stdout));
}

/** No more are said to be there than the buffer keeps, and no more to wait than are there. */
export function judgeStatus(world: World, stdout: string): void {
  const { total, unread } = JSON.parse(stdout);
  if (total > windowSize || unread.desktop + unread.code > total)
    world.violated("the window is 20", `status says ${stdout}`);
}

/** A page is what it is said to be in design.md; null if it is not. */
export function judgeFraming<T>(world: World, text: string, read: (text: string) => T): T | null {
  try {
    return read(text);
  } catch (error) {
    world.violated("a page is framed", String(error), text.slice(0, 3_000));
    return null;
  }
}
