import { expect } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Mirror, mirror } from "./mirror.ts";
import { type Outcome, type Sandbox, sandbox } from "./sandbox.ts";

/** The shells here that may run install.sh, and how each is started with a script on its standard input. */
export const shells = [["dash"], ["busybox", "sh"], ["bash"], ["bash", "--posix"], ["zsh"]]
  .filter(([program = ""]) => Bun.which(program))
  .map((argv) => ({ name: argv.join(" "), argv }));

/** The programs that install.sh may call. */
const tools =
  "cat chmod cp curl dirname env getconf grep gzip id mkdir mktemp mv openssl rm rmdir sed sh sha256sum shasum xz";

/** A machine to install a release on: a home folder with a difficult name, and exactly the programs that a test gives it. */
export interface Machine extends AsyncDisposable {
  box: Sandbox;
  home: string;
  /** Where relay goes unless `RELAY_INSTALL_DIR` says otherwise. */
  installed: string;
  env: Record<string, string>;
  release: Mirror;
  /** Puts a shell script into PATH, in place of any program of its name. */
  fake(program: string, script: string): void;
  lacks(...programs: string[]): void;
  /** Puts the real programs into PATH, or those of busybox. */
  has(programs: string[], from?: "busybox"): void;
  /** Puts a program where relay would be. */
  preinstall(program: string): void;
  /** Pipes the release's install.sh into a shell. */
  install(options?: InstallOptions): Promise<Outcome>;
  /** Does so, and expects this sentence and no change in the home folder. */
  refuses(sentence: string, options?: InstallOptions): Promise<void>;
  /** Everything in the home folder, in order. */
  files(): string[];
}

interface InstallOptions {
  /** Instead of the release's install.sh. */
  script?: string;
  shell?: readonly string[];
  args?: readonly string[];
  env?: Record<string, string>;
  cwd?: string;
}

/** Makes a PC with GNU/Linux. Its release is that of {@link mirror}, or one of `program`. */
export async function machine(program?: Uint8Array, version?: string): Promise<Machine> {
  const box = sandbox();
  const release = await mirror(box, program, version);
  const home = join(box.home, "it's a $HOME");
  mkdirSync(home);
  const programs = mkdtempSync(join(tmpdir(), "relay-test-machine-"));
  chmodSync(programs, 0o755); // also for other users than that of the tests
  box.defer(() => rmSync(programs, { recursive: true, force: true }));
  const made: Machine = {
    box,
    home,
    installed: join(home, ".local/bin/relay"),
    env: { HOME: home, PATH: programs, SHELL: "/bin/sh" },
    release,
    fake(name, script) {
      made.lacks(name);
      writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
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
    preinstall(content) {
      mkdirSync(join(made.installed, ".."), { recursive: true });
      writeFileSync(made.installed, content, { mode: 0o755 });
    },
    install: ({ script = release.script, shell = ["dash"], args = [], env = {}, cwd = box.home } = {}) =>
      box.run([...shellCommand(shell), "-s", "--", ...args], {
        stdin: script,
        env: { ...made.env, ...env },
        cwd,
      }),
    async refuses(sentence, options) {
      const before = made.files();
      const { status, stdout, stderr } = await made.install(options);
      expect(stderr.replace(/^relay 9.8.7 for .*\n/, "")).toBe(`install.sh: ${sentence}\n`);
      expect([status, stdout]).toEqual([1, ""]);
      expect(made.files()).toEqual(before);
    },
    files: () => readdirSync(home, { recursive: true }).map(String).sort(),
    [Symbol.asyncDispose]: () => box[Symbol.asyncDispose](),
  };
  made.has(tools.split(" "));
  if (program) made.lacks("xz", "gzip"); // it is not packed
  made.fake("uname", 'if [ "$1" = -m ]; then echo x86_64; else echo Linux; fi');
  made.fake("ldd", "echo 'ldd (GNU libc) 2.40'");
  return made;
}

/** With the path of the program, since the machine's PATH may not have it. */
export function shellCommand([program = "", ...rest]: readonly string[]): string[] {
  return [Bun.which(program) ?? program, ...rest];
}
