import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "../../build/compile.ts";
import { type Sandbox, sandbox } from "../support/sandbox.ts";

/** Where the measures are taken. */
export interface Lab {
  /** A new home folder with no buffer in it yet, in an environment made from nothing. It goes with the lab. */
  home(): Sandbox;
  /** Compiles a program of this folder, given as a URL, with relay's own flags. Answers the path of its binary. */
  floor(source: string): Promise<string>;
  /** How long a server is watched while nobody asks it anything. */
  idleSeconds: number;
}

/** Runs `work` in a lab, of which nothing is left afterwards: no file, no process. */
export async function inLab(idleSeconds: number, work: (lab: Lab) => Promise<void>): Promise<void> {
  await using boxes = new AsyncDisposableStack();
  const home = () => {
    const box = boxes.use(sandbox());
    process.once("exit", () => rmSync(box.home, { recursive: true, force: true }));
    return box;
  };
  // an interrupted run leaves nothing either: its servers end when their standard input does
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  const programs = home().home;
  await work({
    home,
    idleSeconds,
    async floor(source) {
      const entry = fileURLToPath(source);
      const outfile = join(programs, basename(entry, ".ts"));
      await compile({ entry, outfile });
      return outfile;
    },
  });
}
