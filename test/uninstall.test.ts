// "One command out": design.md, promise 4. In an empty home and beside other settings: setup.test.ts.
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { sandbox, sendAll, until } from "./support/sandbox.ts";
import { home, installed, json, paths, put, run, snapshot, text } from "./support/setup-box.ts";

describe("in files that were changed since, uninstall removes", () => {
  test("only relay's own parts", async () => {
    await using box = home();
    put(box, paths.settings, { permissions: { allow: ["mcp__relay__relay_send"] } });
    await run(box, ["setup-code"]);
    const changed = json(box, paths.settings);
    changed.hooks.SessionStart[0].hooks.push({ type: "command", command: "echo mine" });
    changed.theme = "dark";
    put(box, paths.settings, changed);
    await run(box, ["uninstall"]);
    // the rule that was there before relay came is not relay's to take
    expect(json(box, paths.settings)).toEqual({
      permissions: { allow: ["mcp__relay__relay_send"] },
      hooks: { SessionStart: [{ hooks: [{ type: "command", command: "echo mine" }] }] },
      theme: "dark",
    });
    expect(existsSync(join(box.home, paths.record))).toBe(false);
  });

  test("relay's hooks, servers and command, if the record was lost", async () => {
    await using box = home({ desktop: true });
    put(box, paths.settings, { mine: 1 });
    await run(box, ["setup"]);
    rmSync(join(box.home, paths.record));
    await run(box, ["uninstall"]);
    const { mine, hooks } = json(box, paths.settings);
    expect({ mine, hooks }).toEqual({ mine: 1, hooks: { UserPromptExpansion: [], SessionStart: [] } });
    expect([json(box, paths.code), json(box, paths.desktop)]).toEqual([{ mcpServers: {} }, { mcpServers: {} }]);
    expect(existsSync(join(box.home, paths.command))).toBe(false);
  });
});

describe("a setup that was killed", () => {
  test("while Claude Code registered the server leaves nothing after uninstall", async () => {
    await using box = home({ desktop: true });
    put(box, paths.settings, { mine: 1 });
    const before = snapshot(box.home);
    const program = readFileSync(join(box.programs, "claude"), "utf8");
    const killing = program.replace('"mcp add-json")', '"mcp add-json") kill -9 $PPID;');
    writeFileSync(join(box.programs, "claude"), killing);
    expect((await box.relay(["setup"])).status).toBe(null);
    expect(existsSync(join(box.home, paths.record))).toBe(true);
    expect(json(box, paths.settings)).toEqual({ mine: 1 });
    const isRegistered = () => existsSync(join(box.home, paths.code)) && text(box, paths.code).endsWith("}");
    await until("the orphan's registration", isRegistered);
    writeFileSync(join(box.programs, "claude"), program);
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
    expect(json(box, paths.code)).toEqual({ mcpServers: {} });
  });

  test("between its record and the file is finished by the next one, or undone", async () => {
    for (const next of [["setup-code", "--statusline"], ["uninstall"]]) {
      await using box = home();
      put(box, paths.settings, { mine: 1 });
      const look = () => snapshot(box.home, ["claude-calls", paths.code, paths.record]);
      const before = look();
      const original = text(box, paths.settings);
      await run(box, ["setup-code", "--statusline"]);
      const after = look();
      put(box, paths.settings, original);
      put(box, ".claude/.settings.json.relay-1", "half a file");
      await run(box, next);
      expect(look()).toEqual(next[0] === "uninstall" ? before : after);
    }
  });
});

test("the record is for its owner alone, even if its mode was changed", async () => {
  await using box = home();
  await run(box, ["setup-code"]);
  chmodSync(join(box.home, paths.record), 0o644);
  await run(box, ["setup-code"], { RELAY_DB: "/x.db" });
  expect(statSync(join(box.home, paths.record)).mode & 0o777).toBe(0o600);
});

describe("uninstall", () => {
  test("needs no choice between two buffers", async () => {
    await using box = home({ desktop: true });
    const before = snapshot(box.home);
    await run(box, ["setup"], { RELAY_DB: join(box.home, "a.db") });
    await run(box, ["setup-code"], { RELAY_DB: join(box.home, "b.db") });
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test("finds a registration for another CLAUDE_CONFIG_DIR, and does the rest if one file cannot be read", async () => {
    await using box = home();
    await run(box, ["setup-code"]);
    await run(box, ["setup-code"], { CLAUDE_CONFIG_DIR: join(box.home, "other") });
    const other = text(box, "other/.claude.json");
    put(box, "other/.claude.json", "{ broken");
    const { status, stderr } = await box.relay(["uninstall"]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("other/.claude.json is not valid JSON")]);
    expect(json(box, paths.code)).toEqual({ mcpServers: {} });
    put(box, "other/.claude.json", other);
    await run(box, ["uninstall"]);
    expect(json(box, "other/.claude.json")).toEqual({ mcpServers: {} });
    expect(existsSync(join(box.home, "other/settings.json"))).toBe(false);
    expect(existsSync(join(box.home, paths.record))).toBe(false);
  });

  test("goes on when Claude Code fails, says so, and the next run does the rest", async () => {
    await using box = home({ desktop: true });
    await run(box, ["setup"]);
    const program = readFileSync(join(box.programs, "claude"), "utf8");
    writeFileSync(join(box.programs, "claude"), "#!/bin/sh\nexit 7\n");
    const { status, stderr } = await box.relay(["uninstall"]);
    const sentence = /`claude mcp remove relay` failed: .*ended with 7/;
    expect([status, stderr]).toEqual([1, expect.stringMatching(sentence)]);
    expect(existsSync(join(box.home, paths.settings))).toBe(false);
    expect(existsSync(join(box.home, paths.desktop))).toBe(false);
    expect(json(box, paths.code).mcpServers.relay).toEqual(installed(box).server);
    writeFileSync(join(box.programs, "claude"), program);
    await run(box, ["uninstall"]);
    expect(json(box, paths.code)).toEqual({ mcpServers: {} });
    expect(existsSync(join(box.home, paths.record))).toBe(false);
  });

  test("removes the entry from Claude Code's own file if Claude Code is gone", async () => {
    await using box = home();
    await run(box, ["setup-code"]);
    rmSync(join(box.programs, "claude"));
    const relay = JSON.stringify({ command: "/opt/relay", args: ["--client", "code"] });
    put(box, paths.code, `{"numStartups": 5.0, "mcpServers": {"relay": ${relay}, "x": {}}}`);
    await run(box, ["uninstall"]);
    expect(text(box, paths.code)).toMatch(/^\{"numStartups": 5\.0, "mcpServers": \{ ?"x": \{\}\}\}$/);
    expect(existsSync(join(box.home, paths.record))).toBe(false);
  });

  test("--purge deletes the messages, after asking", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one", "two"]);
    const total = async () => JSON.parse((await box.relay(["status", "--json"])).stdout).total;
    const asked = await box.relay(["uninstall", "--purge"]);
    expect([asked.status, asked.stderr]).toEqual([2, expect.stringContaining("Say --yes.")]);
    const inside = { env: { CLAUDE_CODE_CHILD_SESSION: "1" } };
    expect((await box.relay(["uninstall", "--purge", "--yes"], inside)).status).toBe(3);
    expect(await total()).toBe(2);
    const done = await box.relay(["uninstall", "--purge", "--yes"]);
    expect(done).toMatchObject({ status: 0, stderr: "" });
    expect(done.stdout).toMatch(
      /\nrelay: deleted 2 messages, of which 2 unread\.\n[\s\S]*\nWhat remains: relay itself: /,
    );
    expect(await total()).toBe(0);
  });

  test("says where messages and their files remain", async () => {
    await using box = home();
    await run(box, ["setup"]);
    await sendAll(box, "code", ["one"]);
    put(box, ".relay_files/1/plot.png", "a message's");
    const places = `your messages, in ${box.buffer} and ${box.home}/.relay_files (to delete them: relay uninstall --purge)`;
    expect(await run(box, ["uninstall"])).toContain(`What remains: ${places}`);
  });

  test("--purge leaves no file of relay's", async () => {
    await using box = home({ desktop: true });
    mkdirSync(join(box.home, ".cache"));
    const before = snapshot(box.home);
    await run(box, ["setup"]);
    await sendAll(box, "code", ["one"]);
    const buffer = basename(box.buffer);
    put(box, `${buffer}-wal`, "");
    put(box, `${buffer}.damaged-20261123T071204.000Z`, "a repair's");
    put(box, `${buffer}.damaged-20261123T071204.000Z-journal`, "a repair's");
    put(box, `${buffer}.repair-next`, "a killed repair's");
    put(box, ".cache/relay/relay-0.1.0-x64", "the bundle's");
    put(box, ".relay_files/1/plot.png", "a message's");
    const all = snapshot(box.home);
    const dry = await box.relay(["uninstall", "--purge", "--dry-run"]);
    expect(dry.stdout).toContain(`relay: --purge would delete ${box.buffer}\n`);
    expect(snapshot(box.home)).toEqual(all);
    expect((await box.relay(["uninstall", "--purge", "--yes"])).status).toBe(0);
    expect(snapshot(box.home)).toEqual(before);
  });
});
