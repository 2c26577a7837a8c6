import { expect } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome, Sandbox } from "./sandbox.ts";

/** The shells that may run install.sh, and how each is started with a script on its standard input. */
export const shells = [["dash"], ["busybox", "sh"], ["bash"], ["bash", "--posix"], ["zsh"]].map((argv) => ({
  name: argv.join(" "),
  argv,
  missing: !Bun.which(argv[0] ?? ""),
}));

/** The programs that install.sh may call, as a machine has them that has everything. */
const tools =
  "cat chmod cp curl dirname env getconf grep gzip id mkdir mktemp mv openssl rm rmdir sed sh sha256sum shasum xz".split(
    " ",
  );

/** A machine to install on: a home folder with a difficult name, and exactly the programs that it is said to have. */
export interface Machine {
  home: string;
  /** Where relay goes unless `RELAY_INSTALL_DIR` says otherwise. */
  installed: string;
  env: Record<string, string>;
  /** Puts a shell script into PATH, in place of whatever has its name. */
  fake(program: string, script: string): void;
  lacks(...programs: string[]): void;
  /** Has the real ones, or those of busybox. */
  has(programs: string[], from?: "busybox"): void;
  /** Pipes a script into a shell. */
  pipe(script: string, options?: PipeOptions): Promise<Outcome>;
  /** Everything in the home folder, in order. */
  files(): string[];
}

/** How to pipe it. */
interface PipeOptions {
  shell?: readonly string[];
  args?: readonly string[];
  env?: Record<string, string>;
  cwd?: string;
}

/** Makes one; unless it is told otherwise, it calls itself a PC with GNU's Linux. */
export function machine(box: Sandbox): Machine {
  const home = join(box.home, "it's a $HOME");
  const programs = mkdtempSync(join(tmpdir(), "relay-test-machine-"));
  chmodSync(programs, 0o755); // also for a person who is not the one that runs the tests
  box.defer(() => rmSync(programs, { recursive: true, force: true }));
  mkdirSync(home);
  const made: Machine = {
    home,
    installed: join(home, ".local/bin/relay"),
    env: { HOME: home, PATH: programs, SHELL: "/bin/sh" },
    fake(program, script) {
      made.lacks(program);
      writeFileSync(join(programs, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    },
    lacks: (...names) => {
      for (const name of names) rmSync(join(programs, name), { force: true });
    },
    has(names, from) {
      made.lacks(...names);
      for (const name of names) {
        const path = Bun.which(from ?? name);
        if (path) symlinkSync(path, join(programs, name));
      }
    },
    pipe: (script, { shell = ["dash"], args = [], env = {}, cwd = box.home } = {}) =>
      box.run([...shellCommand(shell), "-s", "--", ...args], {
        stdin: script,
        env: { ...made.env, ...env },
        cwd,
      }),
    files: () => readdirSync(home, { recursive: true }).map(String).sort(),
  };
  made.has(tools);
  made.fake("uname", 'if [ "$1" = -m ]; then echo x86_64; else echo Linux; fi');
  made.fake("ldd", "echo 'ldd (GNU libc) 2.40'");
  return made;
}

/** With the path of the program, since PATH may not have it. */
export function shellCommand([program = "", ...rest]: readonly string[]): string[] {
  return [Bun.which(program) ?? program, ...rest];
}

/** Puts a program where relay would be. */
export function preinstall({ home, installed }: Machine, program: string): void {
  mkdirSync(join(home, ".local/bin"), { recursive: true });
  writeFileSync(installed, program);
  chmodSync(installed, 0o755);
}

/** Pipes a script that must fail with one sentence and change nothing. */
export async function expectFailure(
  here: Machine,
  script: string,
  sentence: string,
  options?: PipeOptions,
): Promise<void> {
  const before = here.files();
  const { status, stdout, stderr } = await here.pipe(script, options);
  expect(stderr.replace(/^relay 9.8.7 for .*\n/, "")).toBe(`install.sh: ${sentence}\n`);
  expect(stdout).toBe("");
  expect(status).toBe(1);
  expect(here.files()).toEqual(before);
}
