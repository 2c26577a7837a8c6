import type { Subprocess } from "bun";
import { errorMessage } from "../core/errors.ts";

// Claude Code's commands take well under a second; a cold disk or a virus scanner may add many.
const defaultLimitMilliseconds = 60_000;

// A short answer, such as a notification service's capabilities, fits into this.
const headCharacters = 4_096;

// A program that ended may have left its output open in another one, which goes on.
const drainMilliseconds = 200;

/** A program to run, with its whole environment and without a shell. */
export interface Program {
  /** The absolute path of the program, and its arguments. */
  argv: string[];
  env: Readonly<Record<string, string | undefined>>;
}

/** Options of a run. */
export interface RunOptions {
  /** The working directory. */
  folder: string;
  /** The longest run; a minute if left out. */
  limitMilliseconds?: number;
  /** The output to read: `all` (also if left out), the first 4,096 characters of standard output, or `nothing`. */
  output?: "all" | "head" | "nothing";
  /**
   * Whether it and the programs that it starts become a process group, which ends together. Never on Windows, where a
   * PowerShell without a console ends at once, with status 0 and nothing done (nodejs/node#51018).
   */
  group?: boolean;
  /** The path of the program `timeout`, which keeps the limit even if this process is killed. */
  timeout?: string | null;
  /** Ends the run, and its group. */
  signal?: AbortSignal;
}

/** The result of a run. */
export interface Result {
  /** `null` if it exited with 0, else a predicate such as `ended with 1: no such server`. */
  failure: string | null;
  /** Its standard output, as far as it was read. */
  stdout: string;
}

/** Runs a program without input, and ends its group with it. Never throws. */
export async function runProgram(program: Program, options: RunOptions): Promise<Result> {
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
  void child.exited.then(kill); // a wrapper may leave another program behind
  const most = output === "head" ? headCharacters : Number.POSITIVE_INFINITY;
  const [status, stdout, stderr] = await Promise.all([
    child.exited,
    textOf(child.stdout, child, most),
    textOf(child.stderr, child, most),
  ]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", kill);
  if (status === 0) return { failure: null, stdout };
  const reason = output === "all" ? lastLine(stderr) || lastLine(stdout) : "";
  return { failure: `ended with ${child.signalCode ?? status}${reason && `: ${reason}`}`, stdout };
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
  } catch {} // it has ended
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

/**
 * Runs a command in a shell, with this process's input, environment, folder and standard error. Claude Code, which runs
 * it with a limit, ends the whole tree of processes (seen, 2.1.330).
 */
export async function runShell(command: string): Promise<{ status: number; stdout: Uint8Array }> {
  const child = Bun.spawn(["/bin/sh", "-c", command], { stdin: "inherit", stdout: "pipe", stderr: "inherit" });
  const [status, stdout] = await Promise.all([child.exited, new Response(child.stdout).bytes()]);
  return { status, stdout };
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
