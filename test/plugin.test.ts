// The plugin for Claude Code: its files, its launcher, its archive. claude-code.test.ts runs it in the real client.
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packPlugin } from "../build/plugin.ts";
import manifest from "../package.json" with { type: "json" };
import { commandFile, isCommandFile, serverEntry } from "../src/setup/claude-code.ts";
import { claude, hasTerminal, openLab, pluginFolder } from "./support/claude-lab.ts";
import { type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";

const launcher = join(pluginFolder, "launcher/relay");
const program = `\${CLAUDE_PLUGIN_ROOT}/launcher/relay`;
const read = (path: string) => readFileSync(join(pluginFolder, path), "utf8");

describe("the plugin brings the same as setup:", () => {
  test.each(["get", "send"] as const)("the command %s, as a skill that models cannot call", (kind) => {
    const skill = read(`skills/${kind}/SKILL.md`);
    expect(isCommandFile(skill)).toBe(true);
    const ours = commandFile("relay", null, kind).replace("---\n", `---\nname: ${kind}\n`);
    expect(skill).toBe(ours.replaceAll("relay typed", `"${program}" typed`));
  });

  test("the hooks, and one that stands for the deny rule", () => {
    const { hooks } = JSON.parse(read("hooks/hooks.json"));
    // without braces, in whose place older versions of Claude Code put the path itself, unquoted
    const program = '"$CLAUDE_PLUGIN_ROOT/launcher/relay"';
    const run = (event: string) => [
      { type: "command", command: `[ ! -x ${program} ] || exec ${program} hook ${event}`, timeout: 5 },
    ];
    expect(hooks).toEqual({
      UserPromptExpansion: [{ matcher: "^relay:(get|send)$", hooks: run("user-prompt-expansion") }],
      SessionStart: [{ hooks: run("session-start") }],
      PreToolUse: [{ matcher: "Bash|Read|Grep", hooks: run("pre-tool-use") }],
    });
  });

  test("the server", () => {
    const { type: _, ...entry } = serverEntry(program);
    expect(JSON.parse(read(".mcp.json"))).toEqual({ mcpServers: { relay: entry } });
  });

  test("in the version of relay", () => {
    expect(JSON.parse(read(".claude-plugin/plugin.json")).version).toBe(manifest.version);
  });
});

/** Puts a relay there that prints where it is and how it was started. */
function put(path: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, '#!/bin/sh\nprintf "%s %s %s\\n" "$0" "$PPID" "$*"\n', { mode: 0o755 });
}

const shells = ["dash", "bash", "busybox sh", "zsh --emulate sh"].filter((line) => Bun.which(line.split(" ")[0] ?? ""));

describe.each(shells)("the launcher in %s", (shell) => {
  const launch = (box: Sandbox, args: string[], folders: string[] = [], cwd = box.home, env = {}) =>
    box.run([...shell.split(" "), launcher, ...args], {
      env: { PATH: [...folders, "/usr/bin:/bin"].join(":"), ...env },
      cwd,
    });

  test("becomes the relay in PATH, with its arguments as they are, as a child of the same parent", async () => {
    await using box = sandbox();
    const folder = join(box.programs, "with space");
    put(join(folder, "relay"));
    put(join(box.home, ".local/bin/relay"));
    expect(await launch(box, ["--client", "a b", "*"], ["/nonexistent", folder])).toEqual({
      status: 0,
      stdout: `${folder}/relay ${process.pid} --client a b *\n`,
      stderr: "",
    });
  });

  test("finds ~/.local/bin, which is not in the PATH of a program that a desktop started", async () => {
    await using box = sandbox();
    const relay = join(box.home, ".local/bin/relay");
    put(relay);
    expect((await launch(box, ["typed"])).stdout).toBe(`${relay} ${process.pid} typed\n`);
  });

  test("runs nothing from the folder of a project, nothing relative to it, and never itself", async () => {
    await using box = sandbox();
    const project = join(box.home, "project");
    put(join(project, "relay"));
    put(join(project, "bin/relay"));
    symlinkSync(join(project, "bin"), join(box.home, "link"));
    const absolute = [project, `${project}/bin`, `${box.home}/link`, `${project}/../project/bin`];
    for (const folder of [".", "", "bin", ...absolute, join(launcher, "..")]) {
      const { status, stderr } = await launch(box, ["typed"], [folder], project);
      const absent = expect.stringContaining("found no program relay");
      expect([folder, status, stderr]).toEqual([folder, 1, absent]);
    }
    // at home, the person's own folders are below the working directory
    expect((await launch(box, ["typed"], [`${project}/bin`])).status).toBe(0);
  });

  test("says how to install relay once a session, and stops nothing", async () => {
    await using box = sandbox();
    const advice = /^relay: .*Install it with install\.sh/;
    expect((await launch(box, ["hook", "session-start"])).stdout).toBe(""); // not by Claude Code
    const line = await launch(box, ["hook", "session-start"], [], box.home, { CLAUDE_PID: "1" });
    expect([line.status, line.stderr]).toEqual([0, ""]);
    expect(JSON.parse(line.stdout).systemMessage).toMatch(advice);
    for (const event of ["user-prompt-expansion", "pre-tool-use"])
      expect(await launch(box, ["hook", event])).toEqual({ status: 0, stdout: "", stderr: "" });
    const stderr = expect.stringMatching(advice) as never;
    expect(await launch(box, ["--client", "code"])).toEqual({ status: 1, stdout: "", stderr });
  });
});

const baseUrl = "https://example.org/relay/v9.8.7";

/** Packs the plugin into the sandbox, and unpacks its archive as the person does. */
function pack(box: Sandbox): { archive: string; folder: string; marketplace: string } {
  packPlugin("9.8.7", baseUrl, box.home);
  const archive = join(box.home, "relay-plugin.zip");
  const folder = join(box.home, "my plugins/relay");
  mkdirSync(folder, { recursive: true });
  expect(Bun.spawnSync(["unzip", "-q", archive, "-d", folder]).exitCode).toBe(0);
  return { archive, folder, marketplace: join(box.home, "marketplace.json") };
}

test("the archive is the same every time, and names version and address", async () => {
  await using box = sandbox();
  const { archive, folder, marketplace } = pack(box);
  const bytes = readFileSync(archive);
  packPlugin("9.8.7", baseUrl, box.home);
  expect(readFileSync(archive).equals(bytes)).toBe(true);
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  expect(JSON.parse(readFileSync(marketplace, "utf8")).plugins[0]).toMatchObject({
    version: "9.8.7",
    source: { source: "archive", url: `${baseUrl}/relay-plugin.zip`, sha256 },
  });
  const plugin = JSON.parse(readFileSync(join(folder, ".claude-plugin/plugin.json"), "utf8"));
  expect(plugin.version).toBe("9.8.7");
  const absent = await box.run([join(folder, "launcher/relay"), "typed"], { env: { PATH: "/usr/bin:/bin" } });
  expect(absent.stderr).toContain(`curl -fsSL ${baseUrl}/install.sh | sh`);
});

test.skipIf(!claude)("Claude Code's own check passes the checkout and what is packed, and nothing else", async () => {
  await using box = sandbox();
  const { folder, marketplace } = pack(box);
  const validate = async (path: string) =>
    (await box.run([claude ?? "", "plugin", "validate", "--strict", path])).status;
  const checked = [pluginFolder, join(pluginFolder, "../.."), folder, marketplace];
  expect(await Promise.all(checked.map(validate))).toEqual([0, 0, 0, 0]);
  writeFileSync(join(folder, "hooks/hooks.json"), '{"hooks":{"NoSuchEvent":[]}}');
  expect(await validate(folder)).toBe(1);
});

test.skipIf(!hasTerminal)(
  "from its marketplace, /get works once it is installed, and the session says so when relay is not",
  async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["The vault opens with xylophone."]);
    const { folder } = pack(box);
    const lab = openLab(box, { wiring: "marketplace", prompt: "/get", replies: [{ text: "answer one" }] });
    for (const args of [
      ["marketplace", "add", folder],
      ["install", "relay@relay"],
    ]) {
      const { status, stdout, stderr } = await box.run([claude ?? "", "plugin", ...args]);
      expect([status, stdout + stderr]).toEqual([0, expect.stringContaining("Success")]);
    }
    const terminal = await lab.terminal();
    await terminal.shows("relay: 1 message from Desktop. Type /get to read it.");
    await terminal.enter("/get");
    await terminal.shows("answer one");
    expect(lab.api.everything()).toContain("The vault opens with xylophone.");
    rmSync(join(box.programs, "relay"));
    const bare = await lab.terminal();
    await bare.shows("relay: the relay plugin found no program relay.");
    await bare.enter("/get");
    await bare.shows(/the relay plugin found no program relay[\s\S]*the relay plugin found no program relay/);
  },
);
