import type { Subprocess } from "bun";
import type { Program } from "../notify/toast.ts";

// Whatever is worth knowing of a program's output comes this early.
const outputCharacters = 4_096;

// A program that ended may have left its output open to another one.
const drainMilliseconds = 100;

/** Where, for how long at the most, and by what other means a program is run. */
export interface RunOptions {
  folder: string;
  limitMilliseconds: number;
  /**
   * Whether it and what it starts become a process group, which ends together. There is none on Windows, where a
   * PowerShell without a console ends at once, with status 0 and nothing done (nodejs/node#51018).
   */
  group: boolean;
  /** The path of `timeout`, which sees to the limit should this process be killed; `null` if there is none. */
  timeout: string | null;
  /** Whether its output is wanted. */
  output?: boolean;
}

/** How a program ended. */
interface Ended {
  /** `null` if it exited with 0, else why not. */
  failure: string | null;
  /** The beginning of its standard output, if that was wanted. */
  output: string;
}

/** A program that runs. */
export interface Run {
  /** Resolves when it ended. Never rejects. */
  ended: Promise<Ended>;
  /** Ends it, and its group. */
  kill(): void;
}

/** Runs a program with nothing to read. Nothing of its group outlives it. Never throws. */
export function run({ argv, env }: Program, options: RunOptions): Run {
  const { folder, limitMilliseconds, group, timeout, output = false } = options;
  const [program = ""] = argv;
  const limit = ["-s", "KILL", String(Math.max(1, Math.ceil(limitMilliseconds / 1000)))];
  let child: Subprocess<"ignore", "ignore" | "pipe", "ignore">;
  try {
    child = Bun.spawn(timeout ? [timeout, ...limit, ...argv] : argv, {
      env,
      cwd: folder,
      stdin: "ignore",
      stdout: output ? "pipe" : "ignore",
      stderr: "ignore",
      detached: group,
      windowsHide: true,
    });
  } catch (error) {
    return {
      ended: Promise.resolve({ failure: `${program} did not start: ${error}`, output: "" }),
      kill() {},
    };
  }
  const kill = () => end(child, group);
  const timer = setTimeout(kill, limitMilliseconds);
  void child.exited.then(kill); // a wrapper may have left something behind
  const ended = Promise.all([child.exited, head(child)]).then(([status, text]) => {
    clearTimeout(timer);
    return {
      failure: status === 0 ? null : `${program} ended with ${child.signalCode ?? status}`,
      output: text,
    };
  });
  return { ended, kill };
}

function end(child: Subprocess, group: boolean): void {
  try {
    if (group) process.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch {} // nobody is left of it
}

async function head({ stdout, exited }: Subprocess<"ignore", "ignore" | "pipe", "ignore">): Promise<string> {
  if (!(stdout instanceof ReadableStream)) return "";
  let text = "";
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of stdout) {
      if (text.length < outputCharacters) text += decoder.decode(chunk, { stream: true });
    }
  })();
  await Promise.race([reading, exited.then(() => Bun.sleep(drainMilliseconds))]).catch(() => {});
  return text.slice(0, outputCharacters);
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
