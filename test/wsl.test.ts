// Claude Code in WSL with Claude Desktop on Windows: one relay, the Windows one. Simulated: nobody has run it there.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RelayError } from "../src/core/errors.ts";
import { identify, refuseInsideClaudeCode } from "../src/core/identity.ts";
import { readEnvironment } from "../src/platform/environment.ts";
import { placesOf } from "../src/platform/paths.ts";
import { isBlind, wslEnv } from "../src/platform/wslenv.ts";
import { planDesktop } from "../src/setup/claude-desktop.ts";
import { planCode } from "../src/setup/code-plan.ts";
import { applyPlan } from "../src/setup/plan.ts";
import { planRemoval } from "../src/setup/removal.ts";
import type { SetupContext } from "../src/setup/setup-context.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";
import { installFakeClaude, json, put } from "./support/setup.ts";
import { systemOf } from "./support/system.ts";

const names = [
  "CLAUDECODE",
  "CLAUDE_CODE_CHILD_SESSION",
  "CLAUDE_CODE_SESSION_ATTENDED",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_PID",
  "CLAUDE_PLUGIN_ROOT/p",
  "CLAUDE_CONFIG_DIR/p",
  "HOME/p",
  "RELAY_DB/p",
  "RELAY_NOTIFY",
  "NO_COLOR",
].join(":");

/** A WSL in which `relay.exe` is a script that says how it was called. */
function openWsl(box: Sandbox, variables: Record<string, string> = {}, buffer: string | null = null) {
  installFakeClaude(box);
  const exe = join(box.home, "mnt/c/Users/me/relay.exe");
  mkdirSync(join(exe, ".."), { recursive: true });
  writeFileSync(exe, '#!/bin/sh\necho "$*" >>"$HOME/relay-exe-calls"; env >"$HOME/relay-exe-env"\n', {
    mode: 0o755,
  });
  const known = [exe, join(box.programs, "claude"), "/usr/local/bin/relay"];
  const system = { ...systemOf("wsl", { ...box.env, ...variables }, known), exists: existsSync };
  const places = placesOf(box.home, system);
  const context: SetupContext = {
    system,
    places,
    executable: "/usr/local/bin/relay",
    folder: box.home,
    buffer,
  };
  const run = (plan: () => ReturnType<typeof planDesktop>) => applyPlan(plan, places.installRecord);
  return { exe, context, run };
}

const code = { scope: "user", statusline: false } as const;

describe("setup in WSL", () => {
  test("registers the Windows relay, with every variable that relay reads", async () => {
    await using box = sandbox();
    const { exe, context, run } = openWsl(box);
    await run(() => planCode(context, code));
    const env = { WSLENV: names };
    expect(json(box, ".claude.json").mcpServers.relay).toEqual({
      type: "stdio",
      command: exe,
      args: ["--client", "code"],
      env,
    });
    expect(json(box, ".claude/settings.json").env).toEqual(env);
    expect(json(box, ".claude/settings.json").hooks.SessionStart[0].hooks[0].args).toContain(exe);
    expect(readFileSync(join(box.home, ".claude/commands/get.md"), "utf8")).toContain(`!\`${exe} typed\``);
    expect((await run(() => planCode(context, code))).changes).toEqual([]);
    await applyPlan(() => planRemoval(context), context.places.installRecord);
    expect(existsSync(join(box.home, ".claude"))).toBe(false);
  });

  test("keeps what the person's own WSLENV names, in and out", async () => {
    await using box = sandbox();
    const { context, run } = openWsl(box, { WSLENV: "SHELL/p:HOME/p" });
    put(box, ".claude/settings.json", { env: { A: "1", WSLENV: "MINE/p:RELAY_DB/p" } });
    await run(() => planCode(context, code));
    expect(json(box, ".claude/settings.json").env).toEqual({ A: "1", WSLENV: `MINE/p:${names}` });
    expect(json(box, ".claude.json").mcpServers.relay.env).toEqual({ WSLENV: `SHELL/p:${names}` });
    expect(json(box, ".claude/settings.json").permissions.deny).toEqual([
      "Read(//mnt/?/Users/*/.relay_buffer.db*)",
    ]);
    put(box, ".claude/settings.json", { ...json(box, ".claude/settings.json"), changed: true });
    await applyPlan(() => planRemoval(context), context.places.installRecord);
    expect(json(box, ".claude/settings.json")).toEqual({ env: { A: "1", WSLENV: "MINE/p" }, changed: true });
  });

  test("has the Windows relay set up Claude Desktop", async () => {
    await using box = sandbox();
    const { exe, context, run } = openWsl(box);
    const { commands } = await run(() => planDesktop(context));
    expect(commands.map(({ argv }) => argv)).toEqual([[exe, "setup-desktop"]]);
    expect(readFileSync(join(box.home, "relay-exe-calls"), "utf8")).toBe(
      "setup-desktop --dry-run --json\nsetup-desktop\nsetup-desktop --dry-run --json\n",
    );
    expect(readFileSync(join(box.home, "relay-exe-env"), "utf8")).toContain(`WSLENV=${names}\n`);
    writeFileSync(exe, `#!/bin/sh\necho '{"steps":[]}'\n`);
    expect((await run(() => planDesktop(context))).commands).toEqual([]);
  });

  test("without a Windows relay explains why two buffers would never meet, and writes nothing", async () => {
    await using box = sandbox();
    const { exe, context } = openWsl(box);
    const system = {
      ...context.system,
      find: (name: string) => (name === "relay.exe" ? null : context.system.find(name)),
    };
    for (const plan of [planCode({ ...context, system }, code), planDesktop({ ...context, system })]) {
      expect(plan).rejects.toThrow(
        /a relay in each would have a buffer of its own, and they would never meet/,
      );
    }
    expect(exe).toBeTruthy();
    expect(existsSync(join(box.home, ".claude"))).toBe(false);
  });

  test("refuses a buffer that lies inside WSL, and takes one on a Windows disk", async () => {
    await using box = sandbox();
    const inside = openWsl(box, {}, "/home/me/b.db");
    expect(planCode(inside.context, code)).rejects.toThrow(
      /inside WSL, where the relay of Claude Desktop on Windows must not open it/,
    );
    const shared = openWsl(box, {}, "/mnt/c/Users/me/b.db");
    await shared.run(() => planCode(shared.context, code));
    expect(json(box, ".claude/settings.json").env).toEqual({
      WSLENV: names,
      RELAY_DB: "/mnt/c/Users/me/b.db",
    });
  });

  test("beside a Claude Desktop inside WSL is as on any Linux", async () => {
    await using box = sandbox();
    mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
    const { context, run } = openWsl(box);
    await run(() => planCode(context, code));
    expect(json(box, ".claude.json").mcpServers.relay).toEqual({
      type: "stdio",
      command: "/usr/local/bin/relay",
      args: ["--client", "code"],
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
])("on %s in %s with %j: nothing can be known: %p", (platform, folder, variables, blind) => {
  expect(isBlind(platform, folder, variables)).toBe(blind);
});

test("a relay that cannot know who started it neither delivers nor clears", () => {
  const claudeCode = { ...readEnvironment({}).claudeCode, unknown: true };
  const terminal = { stdin: true, stdout: true, stderr: true };
  const sentence = /started from WSL, and nothing tells it whether a model did that/;
  expect(() => refuseInsideClaudeCode("relay get", claudeCode, terminal)).toThrow(RelayError);
  expect(() => refuseInsideClaudeCode("relay get", claudeCode, terminal)).toThrow(sentence);
  for (const name of ["claude-code", "claude-ai", "other"]) {
    expect(identify({ clientInfo: { name, version: "2.1.330" }, claudeCode, flag: "code" }).refusal).toMatch(
      sentence,
    );
  }
});
