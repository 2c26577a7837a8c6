// Where install.sh puts relay, which files it never touches, and which line for PATH it prints.
import { describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machine } from "./support/machine.ts";
import { standIn } from "./support/mirror.ts";
import { connect } from "./support/peer.ts";
import { relayBinary } from "./support/sandbox.ts";

describe("RELAY_INSTALL_DIR", () => {
  test.each([
    ["/bin of my own/", "/bin of my own/relay"],
    ["~/tools", "/tools/relay"],
    ["relative", "/relative/relay"],
    ["-x", "/-x/relay"],
  ])("%j", async (folder, path) => {
    await using here = await machine();
    const env = { RELAY_INSTALL_DIR: folder.startsWith("/") ? here.home + folder : folder };
    const { status, stdout } = await here.install({ env, cwd: here.home });
    expect(stdout).toStartWith(`relay 9.8.7 is installed as ${here.home}${path}.\n`);
    expect(status).toBe(0);
    expect(readFileSync(here.home + path, "utf8")).toBe(standIn);
    expect(here.files()).toEqual([path.slice(1).split("/")[0] ?? "", path.slice(1)]);
  });

  test.each(["/a:b", "/a\nb"])("%j cannot be in PATH", async (folder) => {
    await using here = await machine();
    const sentence = `there is a colon or a line break in ${here.home}${folder}, which PATH cannot hold. Set RELAY_INSTALL_DIR to another folder.`;
    await here.refuses(sentence, { env: { RELAY_INSTALL_DIR: here.home + folder } });
  });
});

describe("it refuses", () => {
  test("a folder that cannot be made", async () => {
    await using here = await machine();
    writeFileSync(join(here.home, ".local"), "a file");
    await here.refuses(`cannot make the folder ${here.home}/.local. Set RELAY_INSTALL_DIR to a folder of your own.`);
    expect(here.release.requests).toEqual([]);
  });

  test.skipIf(process.getuid?.() === 0 && !Bun.which("setpriv"))("a folder that it may not write", async () => {
    await using here = await machine();
    const { box } = here;
    mkdirSync(join(here.home, ".local/bin"), { recursive: true, mode: 0o555 });
    await box.run(["chmod", "-R", "a+rX,a-w", box.home]);
    box.defer(async () => void (await box.run(["chmod", "-R", "u+w", box.home])));
    const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh"];
    const shell = process.getuid?.() === 0 ? asNobody : ["dash"];
    const sentence = `cannot write to ${here.home}/.local/bin. Set RELAY_INSTALL_DIR to a folder of your own.`;
    await here.refuses(sentence, { shell });
    expect(here.release.requests).toEqual([]);
  });

  test("to install in place of another program of that name, or to remove it", async () => {
    await using here = await machine();
    const another = "#!/bin/sh\necho I forward mail\n";
    here.preinstall(another);
    const sentence = `${here.installed} is another program. Move it away, or set RELAY_INSTALL_DIR to another folder.`;
    await here.refuses(sentence);
    await here.refuses(sentence, { args: ["--uninstall"] });
    expect(readFileSync(here.installed, "utf8")).toBe(another);
  });

  test("a folder of that name", async () => {
    await using here = await machine();
    mkdirSync(here.installed, { recursive: true });
    await here.refuses(`${here.installed} is a folder. Move it away, or set RELAY_INSTALL_DIR to another folder.`);
  });

  test("no HOME", async () => {
    await using here = await machine();
    await here.refuses("HOME is not set. Set it, or set RELAY_INSTALL_DIR.", { env: { HOME: "" } });
  });

  test("sudo, unless an administrator names a folder", async () => {
    await using here = await machine();
    here.fake("id", "echo 0");
    const env = { SUDO_USER: "me" };
    const sentence =
      "sudo is not needed: relay belongs in your own home folder. Run this again without it, or set RELAY_INSTALL_DIR.";
    await here.refuses(sentence, { env });
    const all = { ...env, RELAY_INSTALL_DIR: join(here.home, "all") };
    expect(await here.install({ env: all })).toMatchObject({ status: 0 });
  });

  test.each([
    [["--sudo"], "unknown argument --sudo. See: sh install.sh --help"],
    [["--uninstall", "now"], "too many arguments. See: sh install.sh --help"],
  ])("%j", async (args, sentence) => {
    await using here = await machine();
    expect(await here.install({ args })).toEqual({
      status: 2,
      stdout: "",
      stderr: `install.sh: ${sentence}\n`,
    });
    expect(here.files()).toEqual([]);
  });
});

test("a symbolic link is replaced, not the file that it points to", async () => {
  await using here = await machine();
  const own = join(here.home, "own");
  writeFileSync(own, `${standIn}# mine`);
  mkdirSync(join(here.home, ".local/bin"), { recursive: true });
  symlinkSync(own, here.installed);
  expect(await here.install()).toMatchObject({ status: 0 });
  expect(lstatSync(here.installed).isSymbolicLink()).toBe(false);
  expect(readFileSync(own, "utf8")).toEndWith("# mine");
});

test("a running server goes on undisturbed while its program is replaced", async () => {
  await using here = await machine();
  here.preinstall("");
  await here.box.run(["cp", relayBinary, here.installed]);
  const server = await connect(here.box, { command: here.installed, args: ["--client", "code"] });
  expect(await here.install()).toMatchObject({ status: 0, stderr: expect.not.stringContaining("busy") });
  expect(readFileSync(here.installed, "utf8")).toBe(standIn);
  expect(await server.fetch()).toStartWith("relay: ");
});

test.each([
  [
    "echo 'no such instruction' >&2; exit 132",
    "relay does not run on this machine (no such instruction). Nothing was installed.",
  ],
  [
    "echo 'Error loading shared library libstdc++.so.6: No such file or directory (needed by relay)' >&2; exit 127",
    "relay does not run on this machine (Error loading shared library libstdc++.so.6: No such file or directory (needed by relay)). It needs the C++ library; on Alpine: apk add libstdc++. Nothing was installed.",
  ],
  ["echo 1.0.0", 'the version of this relay is "1.0.0", and should be 9.8.7. Nothing was installed.'],
])("a relay that does not run here does not replace one that does: %s", async (body, sentence) => {
  await using here = await machine(Buffer.from(`#!/bin/sh\n${body}\n`));
  here.preinstall(standIn);
  await here.refuses(sentence);
  expect(readFileSync(here.installed, "utf8")).toBe(standIn);
});

const mount = ["unshare", "-rm", "sh", "-c", 'm=$1; shift; mount -t tmpfs -o noexec tmpfs "$m" && exec sh "$@"', "sh"];

test.skipIf(Bun.spawnSync([...mount, "/mnt", "-c", ":"]).exitCode !== 0)(
  "a disk without programs is named",
  async () => {
    await using here = await machine();
    here.has(["mount"]);
    mkdirSync(join(here.home, ".local/bin"), { recursive: true });
    const { status, stderr } = await here.install({ shell: [...mount, join(here.home, ".local/bin")] });
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/Permission denied\)\. The disk of .* \(noexec\): set RELAY_/),
    ]);
  },
);

describe("the line for PATH makes the person's own shell find it:", () => {
  const found = ["bash", "zsh", "fish --no-config", "tcsh -f", "dash"].filter((line) =>
    Bun.which(line.split(" ")[0] ?? ""),
  );
  const files: Record<string, string> = {
    bash: "~/.bashrc",
    zsh: "~/.zshrc",
    fish: "~/.config/fish/config.fish",
    tcsh: "~/.cshrc",
    dash: "~/.profile",
  };
  test.each(found)("%s", async (line) => {
    await using here = await machine();
    const [shell = "", ...flags] = line.split(" ");
    const { stdout } = await here.install({ env: { SHELL: `/usr/bin/${shell}` } });
    const [, file, text] = /put this line into (\S+) and open a new terminal:\n {2}(.*)/.exec(stdout) ?? [];
    expect(file).toBe(files[shell] ?? "");
    const argv = [Bun.which(shell) ?? "", ...flags, "-c", `${text}\nrelay is found`];
    expect(await here.box.run(argv, { env: here.env })).toMatchObject({ stdout: "called: relay is found\n" });
  });
});

describe("a relay that PATH finds first", () => {
  test("is pointed out", async () => {
    await using here = await machine();
    here.fake("relay", "echo another");
    const folder = `${here.home}/.local/bin`;
    const { stdout } = await here.install({ env: { PATH: `${here.env.PATH}:${folder}/` } });
    expect(stdout).toContain(
      `\nTyping "relay" runs another one, ${here.env.PATH}/relay. Remove that, or put ${folder} before it in PATH.\n`,
    );
    expect(stdout).toEndWith(".local/bin/relay' setup\n");
  });

  test("is not pointed out if it is this one, or a link to it", async () => {
    await using here = await machine();
    const env = { PATH: `${here.env.PATH}:${here.home}/.local/bin` };
    const words = `relay 9.8.7 is installed as ${here.installed}.\n\ncalled: relay demo\n\nTo connect Claude Desktop and Claude Code, type: relay setup\n`;
    expect((await here.install({ env })).stdout).toBe(words);
    symlinkSync(here.installed, join(here.env.PATH ?? "", "relay"));
    const again = (await here.install({ env })).stdout;
    expect(again).not.toContain("another one");
    expect(again).toEndWith(": relay setup\n");
  });
});
