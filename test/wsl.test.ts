// Claude Code in WSL with Claude Desktop on Windows: one relay, the Windows one. Simulated: it was never run there.
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { RelayError } from "../src/core/errors.ts";
import { identify, refuseInsideClaudeCode } from "../src/core/identity.ts";
import { readEnvironment } from "../src/platform/environment.ts";
import { placesOf } from "../src/platform/paths.ts";
import { systemKind } from "../src/platform/system.ts";
import { isBlind, wslEnv } from "../src/platform/wslenv.ts";
import { noBunOptions, serverEntry } from "../src/setup/claude-code.ts";
import { planDesktop } from "../src/setup/claude-desktop.ts";
import { planCode } from "../src/setup/code-plan.ts";
import { applyPlan, type Plan } from "../src/setup/plan.ts";
import { planRemoval } from "../src/setup/removal.ts";
import type { SetupContext } from "../src/setup/setup-context.ts";
import { systemOf } from "./support/fake-system.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { home, installed, json, paths, put, text } from "./support/setup-box.ts";

const names =
  "CLAUDECODE:CLAUDE_CODE_CHILD_SESSION:CLAUDE_CODE_SESSION_ATTENDED:CLAUDE_CODE_SESSION_ID:CLAUDE_CODE_ENTRYPOINT:CLAUDE_PID:CLAUDE_PLUGIN_ROOT/p:CLAUDE_PROJECT_DIR/p:CLAUDE_CONFIG_DIR/p:HOME/p:RELAY_DB/p:RELAY_HISTORY:RELAY_NOTIFY:NO_COLOR";

/** A WSL in which `relay.exe`, if it is installed, is a script that says how it was called. */
function openWsl(box: Sandbox, { variables = {}, buffer = null as string | null, isInstalled = true } = {}) {
  const script = '#!/bin/sh\necho "$*" >>"$HOME/relay-exe-calls"; env >"$HOME/relay-exe-env"\n';
  const exe = put(box, "mnt/c/Users/me/relay.exe", script, 0o755);
  const known = [...(isInstalled ? [exe] : []), join(box.programs, "claude"), "/usr/local/bin/relay"];
  const system = { ...systemOf("wsl", { ...box.env, ...variables }, known), exists: existsSync };
  const places = placesOf(box.home, system);
  const executable = "/usr/local/bin/relay";
  const context: SetupContext = { system, places, executable, folder: box.home, buffer };
  const apply = (plan: () => Promise<Plan>) => applyPlan(plan, places.installRecord);
  return {
    exe,
    setupCode: (statusline = false) => apply(() => planCode(context, { scope: "user", statusline })),
    setupDesktop: () => apply(() => planDesktop(context)),
    uninstall: () => apply(() => planRemoval(context)),
  };
}

describe("setup in WSL", () => {
  test("registers the Windows relay, with every variable that relay reads", async () => {
    await using box = home();
    const { exe, setupCode, uninstall } = openWsl(box);
    await setupCode();
    const env = { WSLENV: names };
    const server = serverEntry(exe, null, { ...noBunOptions, ...env });
    expect(json(box, paths.code).mcpServers.relay).toEqual(server);
    expect(json(box, paths.settings).env).toEqual(env);
    expect(json(box, paths.settings).hooks.SessionStart[0].hooks[0].command).toContain(`relay=${exe};`);
    expect(json(box, paths.settings).permissions.deny).toEqual([
      "Read(//mnt/?/Users/*/.relay_url)",
      "Read(//mnt/?/Users/*/.relay_buffer.db*)",
    ]);
    expect(text(box, paths.command)).toContain(`!\`${exe} typed\``);
    expect((await setupCode()).changes).toEqual([]);
    await uninstall();
    expect(existsSync(join(box.home, ".claude"))).toBe(false);
  });

  test("keeps the names in the person's own WSLENV, and a status line of relay's, in and out", async () => {
    await using box = home();
    const { exe, setupCode, uninstall } = openWsl(box, { variables: { WSLENV: "SHELL/p:HOME/p" } });
    put(box, paths.settings, { env: { A: "1", WSLENV: "MINE/p:RELAY_DB/p" } });
    await setupCode(true);
    const statusLine = { type: "command", command: `${exe} statusline`, refreshInterval: 3 };
    expect(json(box, paths.settings).statusLine).toEqual(statusLine);
    expect((await setupCode()).changes).toEqual([]);
    expect(json(box, paths.settings).env).toEqual({ A: "1", WSLENV: `MINE/p:${names}` });
    expect(json(box, paths.code).mcpServers.relay.env).toMatchObject({ WSLENV: `SHELL/p:${names}` });
    put(box, paths.settings, { ...json(box, paths.settings), changed: true });
    await uninstall();
    expect(json(box, paths.settings)).toEqual({ env: { A: "1", WSLENV: "MINE/p" }, changed: true });
  });

  test("leaves the person's own status line alone, which a Windows program cannot run", async () => {
    await using box = home();
    put(box, paths.settings, { statusLine: { type: "command", command: "date" } });
    await openWsl(box).setupCode(true);
    expect(json(box, paths.settings).statusLine).toEqual({ type: "command", command: "date" });
  });

  test("has the Windows relay set up Claude Desktop", async () => {
    await using box = home();
    const { exe, setupDesktop } = openWsl(box);
    const { commands } = await setupDesktop();
    expect(commands.map(({ argv }) => argv)).toEqual([[exe, "setup-desktop"]]);
    expect(text(box, "relay-exe-calls")).toBe(
      "setup-desktop --dry-run --json\nsetup-desktop\nsetup-desktop --dry-run --json\n",
    );
    expect(text(box, "relay-exe-env")).toContain(`WSLENV=${names}\n`);
    put(box, "mnt/c/Users/me/relay.exe", `#!/bin/sh\necho '{"steps":[]}'\n`);
    expect((await setupDesktop()).commands).toEqual([]);
  });

  test("without a Windows relay explains that two buffers would not meet, and writes nothing", async () => {
    await using box = home();
    const { setupCode, setupDesktop } = openWsl(box, { isInstalled: false });
    for (const setup of [setupCode, setupDesktop])
      await expect(setup()).rejects.toThrow(/two relays would use two buffers and messages would never arrive/);
    expect(existsSync(join(box.home, ".claude"))).toBe(false);
  });

  test("refuses a buffer that lies inside WSL, and takes one on a Windows disk", async () => {
    await using box = home();
    await expect(openWsl(box, { buffer: "/home/me/b.db" }).setupCode()).rejects.toThrow(
      /inside WSL, where the relay of Claude Desktop on Windows must not open it/,
    );
    const buffer = "/mnt/c/Users/me/b.db";
    await openWsl(box, { buffer }).setupCode();
    expect(json(box, paths.settings).env).toEqual({ WSLENV: names, RELAY_DB: buffer });
  });

  test("beside a Claude Desktop inside WSL is as on any Linux", async () => {
    await using box = home({ desktop: true });
    await openWsl(box).setupCode();
    expect(json(box, paths.code).mcpServers.relay).toEqual({
      ...installed(box).server,
      command: "/usr/local/bin/relay",
    });
  });
});

test("WSLENV is extended once", () => {
  expect(wslEnv()).toBe(names);
  expect(wslEnv("A:B/p")).toBe(`A:B/p:${names}`);
  expect(wslEnv(wslEnv("A"))).toBe(`A:${names}`);
});

test.each<[string, string, Record<string, string>, boolean]>([
  ["win32", "\\\\wsl.localhost\\Ubuntu\\home\\me", {}, true],
  ["win32", "\\\\wsl$\\Ubuntu\\home\\me", { USERPROFILE: "C:\\Users\\me", PATH: "x" }, true],
  ["win32", "\\\\WSL.LOCALHOST\\Ubuntu", {}, true],
  ["win32", "\\\\wsl.localhost\\Ubuntu\\home\\me", { CLAUDECODE: "1" }, false],
  ["win32", "\\\\wsl.localhost\\Ubuntu\\home\\me", { HOME: "\\\\wsl.localhost\\Ubuntu\\home\\me" }, false],
  ["win32", "C:\\Users\\me", {}, false],
  ["win32", "\\\\server\\wsl\\share", {}, false],
  ["linux", "/home/me", {}, false],
])("on %s in %s with %j its starter is unknown: %p", (platform, folder, variables, blind) => {
  expect(isBlind(platform, folder, variables)).toBe(blind);
});

test.each<[string, Record<string, string>, string[]]>([
  ["wsl", { WSL_INTEROP: "/run/WSL/1_interop" }, []],
  ["wsl", {}, ["/proc/sys/fs/binfmt_misc/WSLInterop"]],
  ["wsl", {}, ["/proc/sys/fs/binfmt_misc/WSLInterop-late"]],
  ["linux", {}, ["/mnt/c"]], // interop is switched off
  ["linux", { WSL_INTEROP: "/run/WSL/1_interop" }, ["/.dockerenv"]],
  ["linux", {}, ["/proc/sys/fs/binfmt_misc/WSLInterop", "/run/.containerenv"]],
])("it is %s with %j and %j", (kind, variables, files) => {
  expect(systemKind("linux", variables, (path) => files.includes(path))).toBe(kind as never);
});

test("a relay that cannot know who started it neither delivers nor clears", () => {
  const claudeCode = { ...readEnvironment({}).claudeCode, unknown: true };
  const terminal = { stdin: true, stdout: true, stderr: true };
  const sentence = /started from WSL, and nothing tells it whether a model did that/;
  expect(() => refuseInsideClaudeCode("relay get", { claudeCode, terminal })).toThrow(RelayError);
  expect(() => refuseInsideClaudeCode("relay get", { claudeCode, terminal })).toThrow(sentence);
  for (const name of ["claude-code", "claude-ai", "other"]) {
    const clientInfo = { name, version: "2.1.330" };
    expect(identify({ clientInfo, claudeCode, flag: "code", isSpawned: true }).refusal?.message).toMatch(sentence);
  }
});
