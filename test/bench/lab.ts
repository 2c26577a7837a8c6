import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "../../build/compile.ts";
import { type Sandbox, sandbox } from "../support/sandbox.ts";

/** Where the measures are taken, and how thoroughly. */
export interface Lab {
  /** How many samples of each thing are taken. */
  rounds: number;
  /** How long a server is left alone before it counts as idle. */
  idleSeconds: number;
  /** A new home folder with no buffer in it yet, in an environment made from nothing. It goes with the lab. */
  home(): Sandbox;
  /** Compiles a program, given as a URL, with relay's own flags. Answers the path of its binary. */
  floor(source: string): Promise<string>;
}

/** Runs `work` in a lab, of which nothing is left afterwards: no file, no process. */
export async function inLab(
  { rounds, idleSeconds }: Pick<Lab, "rounds" | "idleSeconds">,
  work: (lab: Lab) => Promise<void>,
): Promise<void> {
  await using boxes = new AsyncDisposableStack();
  const home = () => {
    const box = boxes.use(sandbox());
    const remove = (folder: string) => rmSync(folder, { recursive: true, force: true });
    process.once("exit", () => [box.home, box.programs].forEach(remove));
    return box;
  };
  // an interrupted run leaves nothing either: its servers end when their standard input does
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  const floor = async (source: string) => {
    const outfile = join(home().home, basename(source, ".ts"));
    await compile({ entry: fileURLToPath(source), outfile });
    return outfile;
  };
  await work({ rounds, idleSeconds, home, floor });
}
