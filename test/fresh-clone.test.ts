// The README's commands, as a stranger pastes them. Only `npm ci` is not real here; in .ci/run it is.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { claude } from "./support/claude-lab.ts";
import { sandbox } from "./support/sandbox.ts";

const root = join(import.meta.dir, "..");
const [npm, node, git] = ["npm", "node", "git"].map((program) => Bun.which(program) ?? "");
const canClone = npm && node && git && existsSync(join(root, ".git"));

test.skipIf(!canClone)("every command of the README runs, in a fresh clone and an empty home", async () => {
  await using box = sandbox();
  const [clone, home] = [join(box.home, "relay"), join(box.home, "home")];
  mkdirSync(home);
  await box.run([git ?? "", "clone", "--quiet", root, clone]);
  const install = `ln -s '${root}/node_modules' node_modules`;
  const standIn = `#!/bin/sh\ncase $1 in ci) ${install} ;; *) exec '${npm}' "$@" ;; esac\n`;
  writeFileSync(join(box.programs, "npm"), standIn, { mode: 0o755 });
  if (claude) symlinkSync(claude, join(box.programs, "claude"));
  else mkdirSync(join(home, ".config/Claude"), { recursive: true }); // there has to be one of the two
  const readme = readFileSync(join(clone, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, commands]) => commands);
  expect(blocks.length).toBeGreaterThan(5);
  const env = { HOME: home, PATH: `${box.env.PATH}:${dirname(node ?? "")}` };
  const { status, stdout, stderr } = await box.run(["sh", "-ec", blocks.join("\n")], { cwd: clone, env });
  expect([status, stderr]).toEqual([
    0,
    expect.not.stringMatching(/^(relay|install\.sh|sh): .*(fail|not found|cannot)/m),
  ]);
  for (const words of ["relay works:", "fix the test", "please review"]) expect(stdout).toContain(words);
  for (const removed of [".local/bin/relay", ".claude/commands/get.md"])
    expect([removed, existsSync(join(home, removed))]).toEqual([removed, false]);
});
