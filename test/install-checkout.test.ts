// install.sh of a checkout builds relay from the source beside it; .ci/run does so with the real npm.
import { expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machine } from "./support/machine.ts";
import { standIn } from "./support/mirror.ts";

const original = join(import.meta.dir, "../install.sh");

/** A checkout whose npm notes how it was called, and builds the stand-in. */
async function checkout(build = 'cp "$SOURCE" dist/relay') {
  const here = await machine();
  const { box } = here;
  const root = join(box.home, "a checkout");
  mkdirSync(join(root, "dist"), { recursive: true });
  cpSync(original, join(root, "install.sh"));
  writeFileSync(join(box.home, "stand-in"), standIn);
  here.fake("npm", `echo "$PWD: npm $*" >>"${box.home}/npm"; case $1 in run) ${build} ;; esac`);
  const env = { ...here.env, SOURCE: join(box.home, "stand-in"), CDPATH: join(box.home, "elsewhere") };
  const run = (path = "install.sh", cwd = root, stdin = "") =>
    box.run(["sh", ...(path ? [path] : [])], { cwd, env, stdin });
  return { ...here, root, run, npmLog: join(box.home, "npm") };
}

test.each([
  ["there", "install.sh", ""],
  ["elsewhere, by its full path", "ROOT/install.sh", ".."],
  ["elsewhere, with CDPATH", "a checkout/install.sh", ".."],
])("run %s, it builds, installs and demonstrates", async (_, path, folder) => {
  await using here = await checkout();
  const { root } = here;
  mkdirSync(join(root, "../elsewhere/a checkout"), { recursive: true });
  const { status, stdout, stderr } = await here.run(path.replace("ROOT", root), join(root, folder));
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toStartWith(`relay 9.8.7 is installed as ${here.installed}.\n\ncalled: relay demo\n`);
  expect(stdout).toContain("To connect Claude Desktop and Claude Code, type:");
  expect(readFileSync(here.npmLog, "utf8")).toBe(
    `${root}: npm ci --no-audit --no-fund --loglevel=error\n${root}: npm run --silent build\n`,
  );
  expect(here.files()).toEqual([".local", ".local/bin", ".local/bin/relay"]);
});

test("a build that fails installs nothing", async () => {
  await using here = await checkout("echo 'no bundler' >&2; exit 3");
  const { status, stderr } = await here.run();
  expect(stderr).toBe("no bundler\ninstall.sh: the build of relay failed, see above. Nothing was installed.\n");
  expect(status).toBe(1);
  expect(here.files()).toEqual([]);
});

test("without npm it says what to install", async () => {
  await using here = await checkout();
  here.lacks("npm");
  const stderr = "install.sh: npm is missing. Install Node.js 20 or newer, and run this again.\n";
  expect(await here.run()).toEqual({ status: 1, stdout: "", stderr });
  expect(here.files()).toEqual([]);
});

test("piped, it does not take the current folder for a checkout", async () => {
  await using here = await checkout();
  writeFileSync(join(here.root, "sh"), "");
  const stderr =
    'install.sh: this install.sh is not from a release. Run it as "sh install.sh" in a checkout, or get the one of a release.\n';
  const piped = await here.run("", here.root, readFileSync(original, "utf8"));
  expect(piped).toEqual({ status: 1, stdout: "", stderr });
  expect(existsSync(here.npmLog)).toBe(false);
  expect(here.files()).toEqual([]);
});

test("the commands of the page on installing do so by script and by hand, and remove it", async () => {
  await using here = await machine();
  here.has(["gunzip", "install"]);
  const page = readFileSync(join(import.meta.dir, "../.github/docs/install.md"), "utf8");
  const blocks = page.matchAll(/```sh\n([\s\S]*?)```/g);
  const [script = "", byHand = "", remove = ""] = [...blocks].map(([, block = ""]) => block);
  const type = (commands: string) =>
    here.box.run(["sh", "-e"], { stdin: commands, env: { ...here.env, RELAY_URL: here.release.url } });
  for (const install of [script, byHand]) {
    const stderr = expect.not.stringContaining("install.sh:");
    expect(await type(install)).toMatchObject({ status: 0, stderr });
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
    expect(await type(remove)).toMatchObject({ status: 0, stdout: expect.stringContaining("is removed.") });
    expect(here.files()).toEqual([".local", ".local/bin"]);
  }
});

test("--help says where relay comes from", async () => {
  await using here = await checkout();
  expect((await here.box.run(["sh", original, "--help"])).stdout).toContain("Builds relay from this checkout");
  const { stdout } = await here.install({ args: ["--help"] });
  expect(stdout).toContain(`curl -fsSL ${here.release.url}/install.sh | sh`);
  expect(stdout).toContain("Downloads relay 9.8.7");
});
