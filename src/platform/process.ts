import type { Subprocess } from "bun";
import { errorMessage } from "../core/errors.ts";

// Claude Code's own commands take well under a second; a cold disk and a virus scanner may take many.
const defaultLimitMilliseconds = 60_000;

// A short answer, such as what a notification service can do, comes this early.
const headCharacters = 4_096;

// A program that ended may have left its output open to another one, which goes on.
const drainMilliseconds = 200;

/** A program to run, with its whole environment. Nothing in it passes a shell. */
export interface Program {
  /** The absolute path of the program, and its arguments. */
  argv: string[];
  env: Readonly<Record<string, string | undefined>>;
}

/** Where, for how long, and by what other means a program is run. */
export interface RunOptions {
  folder: string;
  /** How long it may take; a minute if left out. */
  limitMilliseconds?: number;
  /**
   * What is read of its output: `all` of it (also if left out), the `head` of standard output (4,096 characters), or
   * `nothing`.
   */
  output?: "all" | "head" | "nothing";
  /**
   * Whether it and the programs that it starts become a process group, which ends together. Never on Windows, where a
   * PowerShell without a console ends at once, with status 0 and nothing done (nodejs/node#51018).
   */
  group?: boolean;
  /** The path of `timeout`, which keeps the limit if this process is killed; `null`, or left out, if there is none. */
  timeout?: string | null;
  /** Ends it, and its group. */
  signal?: AbortSignal;
}

/** How a program ended. */
export interface Ended {
  /** `null` if it exited with 0, else what it did, such as `ended with 1: no such server`. */
  failure: string | null;
  /** As much of its standard output as was asked for. */
  stdout: string;
}

/** Runs a program with nothing to read. Nothing of its group outlives it. Never throws. */
export async function runProgram(program: Program, options: RunOptions): Promise<Ended> {
  const { limitMilliseconds = defaultLimitMilliseconds, output = "all", group = false, signal } = options;
  if (signal?.aborted) return { failure: "was stopped", stdout: "" };
  let child: Subprocess;
  try {
    child = spawn(program, { ...options, limitMilliseconds, output, group });
  } catch (error) {
    return { failure: `did not start: ${errorMessage(error)}`, stdout: "" };
  }
  const kill = () => end(child, group);
  const timer = setTimeout(kill, limitMilliseconds);
  signal?.addEventListener("abort", kill);
  void child.exited.then(kill); // a wrapper may have left another program behind
  const most = output === "head" ? headCharacters : Number.POSITIVE_INFINITY;
  const [status, stdout, stderr] = await Promise.all([
    child.exited,
    textOf(child.stdout, child, most),
    textOf(child.stderr, child, most),
  ]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", kill);
  if (status === 0) return { failure: null, stdout };
  const said = output === "all" ? lastLine(stderr) || lastLine(stdout) : "";
  return { failure: `ended with ${child.signalCode ?? status}${said && `: ${said}`}`, stdout };
}

function spawn(
  { argv, env }: Program,
  { folder, limitMilliseconds, output, group, timeout }: RunOptions & { limitMilliseconds: number },
): Subprocess {
  const seconds = Math.max(1, Math.ceil(limitMilliseconds / 1000));
  const wrapper = timeout ? [timeout, "-s", "KILL", String(seconds)] : [];
  return Bun.spawn([...wrapper, ...argv], {
    env: { ...env },
    cwd: folder,
    stdin: "ignore",
    stdout: output === "nothing" ? "ignore" : "pipe",
    stderr: output === "all" ? "pipe" : "ignore",
    detached: group === true,
    windowsHide: true,
  });
}

function end(child: Subprocess, group: boolean): void {
  try {
    if (group) process.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch {} // all of it has ended
}

async function textOf(stream: Subprocess["stdout"], { exited }: Subprocess, most: number): Promise<string> {
  if (!(stream instanceof ReadableStream)) return "";
  let text = "";
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of stream) if (text.length < most) text += decoder.decode(chunk, { stream: true });
  })();
  await Promise.race([reading, exited.then(() => Bun.sleep(drainMilliseconds))]).catch(() => {});
  return text.slice(0, most);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

/** Whether a process of this number runs. */
export function isRunning(process: number): boolean {
  try {
    globalThis.process.kill(process, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
