import type { Subprocess } from "bun";
import type { Program } from "./plan.ts";

// Whatever is worth knowing of a program's output comes this early.
const outputCharacters = 4_096;

// A program that ended may have left its output open to another one.
const drainMilliseconds = 100;

/** Where, for how long at the most, and by what other means a program is run. */
export interface RunOptions {
  folder: string;
  limitMilliseconds: number;
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
  /** Ends it, and whatever it started. */
  kill(): void;
}

/** Runs a program with nothing to read, in a process group of its own. Never throws. */
export function run({ argv, env }: Program, options: RunOptions): Run {
  const { folder, limitMilliseconds, timeout, output = false } = options;
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
      detached: true,
      windowsHide: true,
    });
  } catch (error) {
    return {
      ended: Promise.resolve({ failure: `${program} did not start: ${error}`, output: "" }),
      kill() {},
    };
  }
  const kill = () => killGroup(child);
  const timer = setTimeout(kill, limitMilliseconds);
  const ended = Promise.all([child.exited, head(child)]).then(([status, text]) => {
    clearTimeout(timer);
    return {
      failure: status === 0 ? null : `${program} ended with ${child.signalCode ?? status}`,
      output: text,
    };
  });
  return { ended, kill };
}

// `timeout` and what it runs are one group, and so is a program that starts others.
function killGroup(child: Subprocess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL"); // Windows has no groups
  }
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
