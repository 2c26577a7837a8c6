import type { Subprocess } from "bun";
import { errorMessage } from "../core/errors.ts";
import type { System } from "../platform/system.ts";

// Claude Code's own commands take well under a second; a cold disk and a virus scanner may take many.
const limitMilliseconds = 60_000;

const drainMilliseconds = 200;

/** How a program ended. */
export interface Ended {
  /** `null` if it exited with 0, else why not, with the last thing it said. */
  failure: string | null;
  stdout: string;
}

/** Runs a program of the person's in this folder, without a shell and with nothing to read. Never throws. */
export async function runProgram(
  argv: string[],
  { variables }: Pick<System, "variables">,
  folder: string,
): Promise<Ended> {
  try {
    const child = Bun.spawn(argv, {
      env: { ...variables },
      cwd: folder,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: limitMilliseconds,
      killSignal: "SIGKILL",
      windowsHide: true,
    });
    const [stdout, stderr] = await Promise.all([textOf(child.stdout, child), textOf(child.stderr, child)]);
    const said = (stderr.trim() || stdout.trim()).split("\n").at(-1);
    return {
      failure: child.exitCode === 0 ? null : `it ended with ${child.signalCode ?? child.exitCode}: ${said}`,
      stdout,
    };
  } catch (error) {
    return { failure: errorMessage(error), stdout: "" };
  }
}

// A program that ended may have left its output open to another one, which goes on.
async function textOf(stream: ReadableStream<Uint8Array>, { exited }: Subprocess): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  })();
  await Promise.race([reading, exited.then(() => Bun.sleep(drainMilliseconds))]).catch(() => {});
  await exited;
  return text;
}
