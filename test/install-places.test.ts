// Where install.sh puts relay, and what it never touches.
import { describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectFailure, machine, preinstall } from "./support/machine.ts";
import { mirror, standIn } from "./support/mirror.ts";
import { relayBinary, sandbox } from "./support/sandbox.ts";
import { initialize } from "./support/server.ts";

describe("RELAY_INSTALL_DIR", () => {
  test.each([
    ["/bin of my own/", "/bin of my own/relay"],
    ["~/tools", "/tools/relay"],
    ["relative", "/relative/relay"],
    ["-x", "/-x/relay"],
  ])("%j", async (folder, path) => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    const env = { RELAY_INSTALL_DIR: folder.startsWith("/") ? here.home + folder : folder };
    const { status, stdout } = await here.pipe(script, { env, cwd: here.home });
    expect(stdout).toStartWith(`relay 9.8.7 is installed as ${here.home}${path}.\n`);
    expect(status).toBe(0);
    expect(readFileSync(here.home + path, "utf8")).toBe(standIn);
    expect(here.files()).toEqual([path.slice(1).split("/")[0] ?? "", path.slice(1)]);
  });

  test.each(["/a:b", "/a\nb"])("%j cannot be in PATH", async (folder) => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    const sentence = `there is a colon or a line break in ${here.home}${folder}, which PATH cannot hold. Set RELAY_INSTALL_DIR to another folder.`;
    await expectFailure(here, script, sentence, { env: { RELAY_INSTALL_DIR: here.home + folder } });
  });
});

describe("it refuses", () => {
  test("a folder that cannot be made", async () => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    writeFileSync(join(here.home, ".local"), "a file");
    const sentence = `cannot make the folder ${here.home}/.local. Set RELAY_INSTALL_DIR to a folder of your own.`;
    await expectFailure(here, release.script, sentence);
    expect(release.requests).toEqual([]);
  });

  test.skipIf(process.getuid?.() === 0 && !Bun.which("setpriv"))(
    "a folder that it may not write",
    async () => {
      await using box = sandbox();
      const here = machine(box);
      const release = await mirror(box);
      mkdirSync(join(here.home, ".local/bin"), { recursive: true, mode: 0o555 });
      await box.run(["chmod", "-R", "a+rX,a-w", box.home]);
      box.defer(async () => void (await box.run(["chmod", "-R", "u+w", box.home])));
      const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh"];
      const shell = process.getuid?.() === 0 ? asNobody : ["dash"];
      const sentence = `cannot write to ${here.home}/.local/bin. Set RELAY_INSTALL_DIR to a folder of your own.`;
      await expectFailure(here, release.script, sentence, { shell });
      expect(release.requests).toEqual([]);
    },
  );

  test.each([
    ["install", []],
    ["remove", ["--uninstall"]],
  ] as [string, string[]][])("to %s in place of another program of that name", async (_, args) => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    preinstall(here, "#!/bin/sh\necho I forward mail\n");
    const sentence = `${here.installed} is another program. Move it away, or set RELAY_INSTALL_DIR to another folder.`;
    await expectFailure(here, script, sentence, { args });
    expect(readFileSync(here.installed, "utf8")).toContain("I forward mail");
  });

  test("a folder of that name", async () => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    mkdirSync(here.installed, { recursive: true });
    const sentence = `${here.installed} is a folder. Move it away, or set RELAY_INSTALL_DIR to another folder.`;
    await expectFailure(here, script, sentence);
  });

  test("no HOME", async () => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    const sentence = "HOME is not set. Set it, or set RELAY_INSTALL_DIR.";
    await expectFailure(here, script, sentence, { env: { HOME: "" } });
  });

  test("sudo, but not an administrator who names a folder", async () => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    here.fake("id", "echo 0");
    const sentence =
      "sudo is not needed: relay belongs in your own home folder. Run this again without it, or set RELAY_INSTALL_DIR.";
    await expectFailure(here, script, sentence, { env: { SUDO_USER: "me" } });
    const env = { SUDO_USER: "me", RELAY_INSTALL_DIR: join(here.home, "all") };
    expect(await here.pipe(script, { env })).toMatchObject({ status: 0 });
  });

  test.each([
    [["--sudo"], "unknown argument --sudo. See: sh install.sh --help"],
    [["--uninstall", "now"], "there is at most one argument. See: sh install.sh --help"],
  ])("%j", async (args, sentence) => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    const { status, stderr } = await here.pipe(script, { args });
    expect(stderr).toBe(`install.sh: ${sentence}\n`);
    expect(status).toBe(2);
    expect(here.files()).toEqual([]);
  });
});

test("a symbolic link is replaced, not what it points to", async () => {
  await using box = sandbox();
  const here = machine(box);
  const { script } = await mirror(box);
  preinstall(here, standIn);
  const own = join(here.home, "own");
  writeFileSync(own, `${standIn}# mine`);
  await box.run(["ln", "-sf", own, here.installed]);
  expect(await here.pipe(script)).toMatchObject({ status: 0 });
  expect(lstatSync(here.installed).isSymbolicLink()).toBe(false);
  expect(readFileSync(own, "utf8")).toEndWith("# mine");
});

test("a server that runs goes on undisturbed while its program is replaced", async () => {
  await using box = sandbox();
  const here = machine(box);
  const { script } = await mirror(box);
  mkdirSync(join(here.home, ".local/bin"), { recursive: true });
  await box.run(["cp", relayBinary, here.installed]);
  const server = Bun.spawn([here.installed, "--client", "code"], {
    env: box.env,
    stdin: "pipe",
    stdout: "pipe",
  });
  box.defer(() => server.kill("SIGKILL"));
  const answers = server.stdout.getReader();
  const ask = async (request: Record<string, unknown>) => {
    server.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...request })}\n`);
    server.stdin.flush();
    let line = ""; // an answer may come in several pieces
    while (!line.endsWith("\n")) line += Buffer.from((await answers.read()).value ?? []).toString();
    return JSON.parse(line);
  };
  expect(await ask(initialize())).toMatchObject({ id: 0 });
  expect(await here.pipe(script)).toMatchObject({ status: 0, stderr: expect.not.stringContaining("busy") });
  expect(readFileSync(here.installed, "utf8")).toBe(standIn);
  expect(await ask({ id: 7, method: "ping" })).toMatchObject({ id: 7, result: {} });
});

describe("what does not run here is not installed, and what was there stays", () => {
  test.each([
    [
      "it ends with an error",
      "echo 'no such instruction' >&2; exit 132",
      "relay does not run on this machine (no such instruction). Nothing was installed.",
    ],
    [
      "Alpine without the C++ library",
      "echo 'Error loading shared library libstdc++.so.6: No such file or directory (needed by relay)' >&2; echo 'Error relocating relay: _ZTVN: symbol not found' >&2; exit 127",
      "relay does not run on this machine (Error loading shared library libstdc++.so.6: No such file or directory (needed by relay)). It needs the C++ library; on Alpine: apk add libstdc++. Nothing was installed.",
    ],
    [
      "it is another version",
      "echo 1.0.0",
      'this should be relay 9.8.7, and says that it is "1.0.0". Nothing was installed.',
    ],
  ])("%s", async (_, body, sentence) => {
    await using box = sandbox();
    const here = machine(box);
    preinstall(here, standIn);
    const { script } = await mirror(box, Buffer.from(`#!/bin/sh\n${body}\n`));
    here.lacks("xz", "gzip");
    await expectFailure(here, script, sentence);
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
  });
});
