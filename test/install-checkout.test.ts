// install.sh of a checkout builds relay from the source beside it; .ci/run does so with the real npm.
import { expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machine } from "./support/machine.ts";
import { mirror, standIn } from "./support/mirror.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";

const original = join(import.meta.dir, "../install.sh");

/** A checkout whose npm notes what it was asked, and builds the stand-in. */
function checkout(box: Sandbox, build = 'cp "$SOURCE" dist/relay') {
  const here = machine(box);
  const root = join(box.home, "a checkout");
  mkdirSync(join(root, "dist"), { recursive: true });
  cpSync(original, join(root, "install.sh"));
  writeFileSync(join(box.home, "stand-in"), standIn);
  here.fake("npm", `echo "$PWD: npm $*" >>"${box.home}/npm"; case $1 in run) ${build} ;; esac`);
  const env = { ...here.env, SOURCE: join(box.home, "stand-in") };
  return { here, root, env, asked: () => readFileSync(join(box.home, "npm"), "utf8") };
}

test.each([
  ["there", "install.sh", ""],
  ["elsewhere, by its full path", "FULL/install.sh", ".."],
  ["elsewhere, with CDPATH", "a checkout/install.sh", ".."],
])("run %s, it builds, installs and demonstrates", async (_, path, folder) => {
  await using box = sandbox();
  const { here, root, env, asked } = checkout(box);
  mkdirSync(join(box.home, "elsewhere/a checkout"), { recursive: true });
  const { status, stdout, stderr } = await box.run(["sh", path.replace("FULL", root)], {
    cwd: join(root, folder),
    env: { ...env, CDPATH: join(box.home, "elsewhere") },
  });
  expect(stderr).toBe("");
  expect(stdout).toStartWith(`relay 9.8.7 is installed as ${here.installed}.\n\ncalled: relay demo\n`);
  expect(stdout).toContain("To connect Claude Desktop and Claude Code, type:");
  expect(status).toBe(0);
  expect(asked()).toBe(
    `${root}: npm ci --no-audit --no-fund --loglevel=error\n${root}: npm run --silent build\n`,
  );
  expect(here.files()).toEqual([".local", ".local/bin", ".local/bin/relay"]);
});

test("a build that fails installs nothing", async () => {
  await using box = sandbox();
  const { here, root, env } = checkout(box, "echo 'no bundler' >&2; exit 3");
  const { status, stderr } = await box.run(["sh", "install.sh"], { cwd: root, env });
  expect(stderr).toBe(
    "no bundler\ninstall.sh: relay could not be built, see above. Nothing was installed.\n",
  );
  expect(status).toBe(1);
  expect(here.files()).toEqual([]);
});

test("without npm it says what to install", async () => {
  await using box = sandbox();
  const { here, root, env } = checkout(box);
  here.lacks("npm");
  const { status, stderr } = await box.run(["sh", "install.sh"], { cwd: root, env });
  expect(stderr).toBe("install.sh: npm is not there. Install Node.js 20 or newer, and run this again.\n");
  expect(status).toBe(1);
  expect(here.files()).toEqual([]);
});

test("piped, it does not take the current folder for the source", async () => {
  await using box = sandbox();
  const { here, root, env } = checkout(box);
  writeFileSync(join(root, "sh"), "");
  const stdin = readFileSync(original, "utf8");
  const { status, stderr } = await box.run(["sh"], { cwd: root, env, stdin });
  expect(stderr).toBe(
    'install.sh: this install.sh belongs to no release. Run it as "sh install.sh" in a checkout, or take the one of a release.\n',
  );
  expect(status).toBe(1);
  expect(existsSync(join(box.home, "npm"))).toBe(false);
  expect(here.files()).toEqual([]);
});

test("what the README says to type installs it by script and by hand, and removes it", async () => {
  await using box = sandbox();
  const here = machine(box);
  const release = await mirror(box);
  here.has(["gunzip", "install"]);
  const readme = readFileSync(join(import.meta.dir, "../README.md"), "utf8");
  const section = readme.slice(readme.indexOf("\n## Install\n"));
  const [script = "", byHand = "", remove = ""] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(
    (block) => block[1] ?? "",
  );
  const type = (commands: string) =>
    box.run(["sh", "-e"], { stdin: commands, env: { ...here.env, RELAY_URL: release.url } });
  for (const install of [script, byHand]) {
    expect(await type(install)).toMatchObject({
      status: 0,
      stderr: expect.not.stringContaining("install.sh:"),
    });
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
    expect(await type(remove)).toMatchObject({ status: 0, stdout: expect.stringContaining("is removed.") });
    expect(here.files()).toEqual([".local", ".local/bin"]);
  }
});

test("--help says that it builds", async () => {
  await using box = sandbox();
  const { stdout } = await box.run(["sh", original, "--help"]);
  expect(stdout).toContain("Builds relay from this checkout");
});
