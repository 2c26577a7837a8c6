// The entries that setup makes in Claude Code, for every kind of program path.
import { describe, expect, test } from "bun:test";
import {
  commandFile,
  isCommandFile,
  permissionRules,
  sandboxExclusion,
  serverEntry,
} from "../src/setup/claude-code.ts";
import { hookEntries, parseHook } from "../src/setup/hook-entries.ts";
import { mergeServer } from "../src/setup/servers.ts";
import { lineCommand, parseLine } from "../src/setup/status-line.ts";

// facts.md: spaces and apostrophes work in a rule, a parenthesis never matches, a star in its place does
describe.each<[string, string, string]>([
  ["/home/me/.local/bin/relay", "/home/me/.local/bin/relay", "/home/me/.local/bin/relay"],
  ["/opt/my tools/relay", "'/opt/my tools/relay'", "'/opt/my tools/relay'"],
  ["/opt/it's/relay", "'/opt/it'\\''s/relay'", "'/opt/it'\\''s/relay'"],
  ["/opt/tools (x86)/relay", "'/opt/tools (x86)/relay'", "'/opt/tools *x86*/relay'"],
])("for %s", (program, word, pattern) => {
  test("the files of the commands, word for word", () => {
    const file = (description: string, hint: string) => `---
description: ${description}
argument-hint: "[${hint}]"
disable-model-invocation: true
allowed-tools: Bash(${pattern} typed)
---
!\`${word} typed\`
`;
    const [get, send] = [commandFile(program), commandFile(program, null, "send")];
    expect(get).toBe(file("Read what Claude Desktop sent", "again | all | status | clear | help | ID"));
    expect(send).toBe(file("Send words of yours to Claude Desktop", "words for Desktop"));
    expect([get, send].map(isCommandFile)).toEqual([true, true]);
  });

  test("commands for a shell", () => {
    expect(sandboxExclusion(program)).toBe(`${word} typed`);
    expect(lineCommand(program)).toBe(`${word} statusline`);
    const theirs = "-x() { echo 'it''s'; }; \\\n x | sed \"s/a/b/\" # é";
    const command = lineCommand(program, "/b.db", theirs);
    expect(parseLine({ command })).toEqual({ program, theirs, isCertain: true });
    const { stdout } = Bun.spawnSync(["sh", "-c", command.replace(word, "printf '%s|'")]);
    expect(stdout.toString()).toBe(`statusline|--db|/b.db|--after=${theirs}|`);
  });

  test("hooks, and the server", () => {
    const hook = (event: string) => [
      {
        type: "command",
        command: `cd /; unset BUN_OPTIONS BUN_BE_BUN; relay=${word}; [ ! -x "$relay" ] || exec "$relay" hook ${event} --db ${word}`,
        timeout: 5,
      },
    ];
    expect(hookEntries(program, false, program)).toEqual({
      UserPromptExpansion: { matcher: "^(get|relay|send|relay-send)$", hooks: hook("user-prompt-expansion") },
      SessionStart: { hooks: hook("session-start") },
    });
    expect(serverEntry(program, "/b.db").args).toEqual(["--client", "code", "--db", "/b.db"]);
  });
});

test("on Windows a POSIX shell gets slashes, and hooks are started without a shell", () => {
  const program = "C:\\Users\\An O'Neil\\relay (1)\\relay.exe";
  const word = "'C:/Users/An O'\\''Neil/relay (1)/relay.exe'";
  const file = commandFile(program);
  expect(file).toContain(`allowed-tools: Bash(${word.replaceAll(/[()]/g, "*")} typed)\n`);
  expect(file).toEndWith(`---\n!\`${word} typed\`\n`);
  expect(isCommandFile(file)).toBe(true);
  expect(lineCommand(program)).toBe(`${word} statusline`);
  const [hook] = hookEntries(program, true).SessionStart.hooks;
  expect(hook).toEqual({ type: "command", command: program, args: ["hook", "session-start"], timeout: 5 });
  expect(parseHook(hook)?.program ?? null).toBe(program);
});

const earlier = ["-c", '[ ! -x "$0" ] || exec "$0" "$@"'];
const guarded = ["-c", "exec relay hook", "/opt/relay", "hook", "session-start"];

test.each<[unknown, string | null]>([
  [hookEntries("/opt/it's (1)/relay", false, "/b.db").SessionStart.hooks[0], "/opt/it's (1)/relay"],
  [{ command: "/bin/sh", args: [...earlier, "/opt/relay", "hook", "session-start"] }, "/opt/relay"],
  [{ command: "/opt/relay", args: ["hook", "session-start"] }, "/opt/relay"],
  [null, null],
  [{ type: "command", command: "relay hook session-start" }, null],
  [{ type: "command", command: "/opt/other", args: ["hook", "session-start"] }, null],
  [{ type: "command", command: "/opt/relay", args: ["status"] }, null],
  [{ type: "command", command: "/bin/sh", args: guarded }, null],
])("the hook %j runs relay at %p", (hook, program) => {
  expect(parseHook(hook)?.program ?? null).toBe(program);
});

test.each([
  [null, "~", ".relay_buffer.db", ""],
  ["/home/me/.relay_buffer.db", "//home/me", ".relay_buffer.db", ""],
  ["/home/me/b.db", "//home/me", "b.db", "-b.db"],
  ["/opt/a (b) [c]/x*.db", "//opt/a ?b? ?c?", "x?.db", "-x?.db"],
  ["C:\\Users\\me\\b.db", "//c/Users/me", "b.db", "-b.db"],
])("the permission rules for a buffer at %p", (buffer, folder, name, files) => {
  expect(permissionRules(buffer)).toEqual({
    allow: ["mcp__relay__relay_send", `Read(${folder}/.relay_files${files}/**)`],
    deny: ["Read(~/.relay_url)", `Read(${folder}/${name}*)`],
  });
});

const wanted = { command: "/usr/bin/relay", args: ["--client", "code"] };
const sound = ["--client", "code", "--sound", "off"];
const env = { RELAY_NOTIFY: "off" };

test.each<[string, object, object]>([
  ["keeps the person's own parts", { args: sound, env, timeout: 5 }, { ...wanted, args: sound, env, timeout: 5 }],
  ["replaces another server", { args: ["mcp"], env }, wanted],
])("a new entry of relay's %s", (_name, own, merged) => {
  expect(mergeServer(wanted, { command: "/opt/relay", ...own })).toEqual(merged as never);
});
