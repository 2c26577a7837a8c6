// A download of install.sh that is cut off does nothing, wherever it is cut.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Machine, machine, shells } from "./support/machine.ts";
import { mirror } from "./support/mirror.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";

const traps =
  "cat chmod cp curl dirname env getconf grep gzip id ldd mkdir mktemp mv npm openssl rm rmdir sed sh";

/** A machine on which every program only writes down that it was called. */
function trapped(box: Sandbox): { here: Machine; called: () => string } {
  const here = machine(box);
  const log = join(box.home, "called");
  for (const program of [...traps.split(" "), "sha256sum", "shasum", "sysctl", "uname", "wget", "xz"]) {
    here.fake(program, `echo "${program} $*" >>"${log}"`);
  }
  return { here, called: () => (existsSync(log) ? readFileSync(log, "utf8") : "") };
}

/** After every line, somewhere in two hundred lines, and after every byte of the last line. */
function cuts(script: string): number[] {
  const lines = [...script.matchAll(/\n/g)].map(({ index }) => index + 1);
  const last = lines.at(-2) ?? 0;
  const anywhere = Array.from({ length: 200 }, () => Math.floor(Math.random() * last));
  const lastLine = Array.from({ length: script.length - 1 - last }, (_, byte) => last + byte);
  return [...new Set([...lines.slice(0, -1), ...anywhere, ...lastLine])];
}

for (const { name, argv: shell, missing } of shells) {
  test.skipIf(missing)(`${name}, cut after every line and at random`, async () => {
    await using box = sandbox();
    const { script } = await mirror(box);
    const { here, called } = trapped(box);
    expect(script.endsWith('\n{ main "$@"; exit; }\n')).toBe(true);
    const queue = cuts(script);
    expect(queue.length).toBeGreaterThan(400);
    const work = async () => {
      for (let cut = queue.pop(); cut !== undefined; cut = queue.pop()) {
        const { stdout } = await here.pipe(script.slice(0, cut), { shell, args: ["--uninstall"] });
        expect({ cut, stdout, called: called(), files: here.files() }).toEqual({
          cut,
          stdout: "",
          called: "",
          files: [],
        });
      }
    };
    await Promise.all([work(), work(), work(), work()]);
  });

  test.skipIf(missing)(`${name}, whole: the traps work`, async () => {
    await using box = sandbox();
    const { script } = await mirror(box);
    const { here, called } = trapped(box);
    await here.pipe(script, { shell });
    expect(called()).toContain("uname");
  });
}
