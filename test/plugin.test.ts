// The plugin for Claude Code: its files, its launcher, its archive. What it does in the real client is in claude-code.test.ts.
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packPlugin } from "../build/plugin.ts";
import manifest from "../package.json" with { type: "json" };
import { commandFile, hookEntries, isCommandFile, serverEntry } from "../src/setup/claude-code.ts";
import { claude, hasTerminal, openLab, pluginFolder } from "./support/claude-code.ts";
import { type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";

const launcher = join(pluginFolder, "launcher/relay");
const program = `\${CLAUDE_PLUGIN_ROOT}/launcher/relay`;
const read = (path: string) => readFileSync(join(pluginFolder, path), "utf8");

describe("what setup would install, the plugin brings", () => {
  test("the command, as a skill that models cannot call", () => {
    const skill = read("skills/get/SKILL.md");
    expect(isCommandFile(skill)).toBe(true);
    const ours = commandFile("relay").replace("---\n", "---\nname: get\n");
    expect(skill).toBe(ours.replaceAll("relay typed", `"${program}" typed`));
  });

  test("the hooks, and one that stands for the deny rule", () => {
    const { UserPromptExpansion, SessionStart } = hookEntries(program, true);
    const { hooks } = JSON.parse(read("hooks/hooks.json"));
    expect(hooks.UserPromptExpansion).toEqual([{ ...UserPromptExpansion, matcher: "relay:get" }]);
    expect(hooks.SessionStart).toEqual([SessionStart]);
    const [guard] = hookEntries(program, true).SessionStart.hooks;
    const hook = { ...guard, args: ["hook", "pre-tool-use"] };
    expect(hooks.PreToolUse).toEqual([{ matcher: "Bash|Read|Grep", hooks: [hook] }]);
    expect(Object.keys(hooks).length).toBe(3);
  });

  test("the server", () => {
    const { type: _, ...entry } = serverEntry(program);
    expect(JSON.parse(read(".mcp.json"))).toEqual({ mcpServers: { relay: entry } });
  });

  test("in the version of relay", () => {
    expect(JSON.parse(read(".claude-plugin/plugin.json")).version).toBe(manifest.version);
  });
});

/** Puts a relay that tells where it is and how it was started. */
function install(path: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, '#!/bin/sh\nprintf "%s %s %s\\n" "$0" "$PPID" "$*"\n');
  chmodSync(path, 0o755);
}

describe.each(["dash", "bash", "busybox sh", "zsh --emulate sh"])("the launcher in %s", (shell) => {
  const argv = shell.split(" ");
  const hasShell = Bun.which(argv[0] ?? "") !== null;
  const launch = (box: Sandbox, args: string[], options: { PATH?: string; cwd?: string } = {}) => {
    const { PATH = "/usr/bin:/bin", cwd = box.home } = options;
    return box.run([...argv, launcher, ...args], { env: { PATH }, cwd });
  };

  test.skipIf(!hasShell)(
    "becomes the relay in PATH, with its arguments as they are, as a child of the same parent",
    async () => {
      await using box = sandbox();
      const relay = join(box.programs, "with space/relay");
      install(relay);
      install(join(box.home, ".local/bin/relay"));
      const PATH = `/nonexistent:${join(box.programs, "with space")}:/usr/bin:/bin`;
      const { status, stdout, stderr } = await launch(box, ["--client", "a b", "*"], { PATH });
      expect([status, stdout, stderr]).toEqual([0, `${relay} ${process.pid} --client a b *\n`, ""]);
    },
  );

  test.skipIf(!hasShell)(
    "finds ~/.local/bin, which is in no PATH of a program that a desktop started",
    async () => {
      await using box = sandbox();
      const relay = join(box.home, ".local/bin/relay");
      install(relay);
      expect((await launch(box, ["typed"])).stdout).toBe(`${relay} ${process.pid} typed\n`);
    },
  );

  test.skipIf(!hasShell)(
    "runs nothing from the folder of a project, and nothing relative to it",
    async () => {
      await using box = sandbox();
      const project = join(box.home, "project");
      install(join(project, "relay"));
      install(join(project, "bin/relay"));
      symlinkSync(join(project, "bin"), join(box.home, "link"));
      const entries = [
        ".",
        "",
        "bin",
        project,
        join(project, "bin"),
        join(box.home, "link"),
        `${project}/../project/bin`,
      ];
      for (const entry of entries) {
        const { status, stderr } = await launch(box, ["typed"], {
          PATH: `${entry}:/usr/bin:/bin`,
          cwd: project,
        });
        expect([entry, status, stderr]).toEqual([
          entry,
          1,
          expect.stringContaining("found no program relay"),
        ]);
      }
      // at home, the person's own folders are below the working directory
      expect((await launch(box, ["typed"], { PATH: `${project}/bin:/usr/bin:/bin` })).status).toBe(0);
    },
  );

  test.skipIf(!hasShell)("never becomes itself", async () => {
    await using box = sandbox();
    const PATH = `${join(launcher, "..")}:/usr/bin:/bin`;
    expect((await launch(box, ["typed"], { PATH })).status).toBe(1);
  });

  test.skipIf(!hasShell)("says how to install relay once a session, and stops nothing", async () => {
    await using box = sandbox();
    const line = await launch(box, ["hook", "session-start"]);
    expect([line.status, line.stderr]).toEqual([0, ""]);
    expect(JSON.parse(line.stdout).systemMessage).toMatch(/^relay: .*Install it with install\.sh/);
    for (const event of ["user-prompt-expansion", "pre-tool-use"])
      expect(await launch(box, ["hook", event])).toEqual({ status: 0, stdout: "", stderr: "" });
    const server = await launch(box, ["--client", "code"]);
    expect([server.status, server.stdout]).toEqual([1, ""]);
    expect(server.stderr).toMatch(/^relay: .*Install it with install\.sh/);
  });
});

async function unpack(box: Sandbox, archive: string, folder: string): Promise<string> {
  const target = join(box.home, folder);
  mkdirSync(target, { recursive: true });
  expect((await box.run(["unzip", "-q", archive, "-d", target])).status).toBe(0);
  return target;
}

describe("the archive", () => {
  const baseUrl = "https://example.org/relay/v9.8.7";

  test("is the same every time, and names version and address", async () => {
    await using box = sandbox();
    const options = { version: "9.8.7", baseUrl };
    const [one = "", market = ""] = await packPlugin({ ...options, outDir: join(box.home, "one") });
    const [two = ""] = await packPlugin({ ...options, outDir: join(box.home, "two") });
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
    const sha256 = new Bun.CryptoHasher("sha256").update(readFileSync(one)).digest("hex");
    expect(JSON.parse(readFileSync(market, "utf8")).plugins[0]).toMatchObject({
      version: "9.8.7",
      source: { source: "archive", url: `${baseUrl}/relay-plugin.zip`, sha256 },
    });
    const folder = await unpack(box, one, "unpacked");
    const plugin = JSON.parse(readFileSync(join(folder, ".claude-plugin/plugin.json"), "utf8"));
    expect(plugin.version).toBe("9.8.7");
    const absent = await box.run([join(folder, "launcher/relay"), "typed"], {
      env: { PATH: "/usr/bin:/bin" },
    });
    expect(absent.stderr).toContain(`curl -fsSL ${baseUrl}/install.sh | sh`);
  });

  test("without an address is one file", async () => {
    await using box = sandbox();
    expect(await packPlugin({ version: "9.8.7", outDir: box.home })).toEqual([
      join(box.home, "relay-plugin.zip"),
    ]);
  });

  test.each([
    "https://example.org/$(id)",
    "https://example.org/'",
    'https://example.org/"',
    "https://a.b/",
    "a b",
  ])("is not made for the address %s", async (bad) => {
    await using box = sandbox();
    const packing = packPlugin({ version: "9.8.7", outDir: box.home, baseUrl: bad });
    expect(packing).rejects.toThrow("cannot stand in the plugin");
    expect(existsSync(join(box.home, "relay-plugin.zip"))).toBe(false);
  });
});

describe.skipIf(!claude)("Claude Code's own check", () => {
  const validate = (box: Sandbox, path: string) =>
    box.run([claude ?? "", "plugin", "validate", "--strict", path]);

  test.each([
    ["the plugin of a checkout", pluginFolder],
    ["the marketplace of a checkout", join(pluginFolder, "../..")],
  ])("passes %s", async (_name, path) => {
    await using box = sandbox();
    const { status, stdout } = await validate(box, path);
    expect([status, stdout]).toEqual([0, expect.stringContaining("Validation passed")]);
  });

  test("passes what is packed, and would not pass something else", async () => {
    await using box = sandbox();
    const [archive = "", market = ""] = await packPlugin({
      version: "9.8.7",
      outDir: box.home,
      baseUrl: "https://example.org/relay",
    });
    const folder = await unpack(box, archive, "un packed");
    for (const path of [folder, market]) expect((await validate(box, path)).status).toBe(0);
    writeFileSync(join(folder, "hooks/hooks.json"), '{"hooks":{"NoSuchEvent":[]}}');
    expect((await validate(box, folder)).status).toBe(1);
  });
});

describe.skipIf(!hasTerminal)("from its marketplace", () => {
  test("/get works once it is installed, and the session says so when relay is not", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["The vault opens with xylophone."]);
    const [archive = ""] = await packPlugin({ version: "9.8.7", outDir: box.home });
    const folder = await unpack(box, archive, "my plugins/relay");
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
  }, 120_000);
});
