// What setup will install in Claude Code, for every kind of path that a program may have.
import { describe, expect, test } from "bun:test";
import {
  commandFile,
  hookEntries,
  isCommandFile,
  permissionRules,
  sandboxExclusion,
  serverEntry,
  statusLine,
} from "../src/setup/claude-code.ts";

// facts.md: spaces and apostrophes work in a rule, a parenthesis never matches, a star in its place does
const programs: [string, string, string][] = [
  ["/home/me/.local/bin/relay", "/home/me/.local/bin/relay", "/home/me/.local/bin/relay"],
  ["/opt/my tools/relay", "'/opt/my tools/relay'", "'/opt/my tools/relay'"],
  ["/opt/it's/relay", "'/opt/it'\\''s/relay'", "'/opt/it'\\''s/relay'"],
  ["/opt/tools (x86)/relay", "'/opt/tools (x86)/relay'", "'/opt/tools *x86*/relay'"],
];

describe.each(programs)("for %s", (program, word, pattern) => {
  test("the command", () => {
    expect(commandFile(program)).toBe(`---
description: Read what Claude Desktop sent, or send words to it
argument-hint: "[again | status | clear | words for Desktop]"
disable-model-invocation: true
allowed-tools: Bash(${pattern} typed)
---
!\`${word} typed\`
`);
    expect(isCommandFile(commandFile(program))).toBe(true);
  });

  test("what a shell runs", () => {
    expect(sandboxExclusion(program)).toBe(`${word} typed`);
    expect(statusLine(program)).toEqual({ type: "command", command: `${word} statusline` });
  });

  test("what no shell sees", () => {
    const hook = (event: string) => [
      { type: "command", command: program, args: ["hook", event], timeout: 5 },
    ];
    expect(hookEntries(program)).toEqual({
      UserPromptExpansion: { matcher: "get|relay", hooks: hook("user-prompt-expansion") },
      SessionStart: { hooks: hook("session-start") },
    } as never);
    expect(serverEntry(program)).toEqual({ type: "stdio", command: program, args: ["--client", "code"] });
  });
});

test("the permission rules", () => {
  expect(permissionRules("~/.relay_buffer.db")).toEqual({
    allow: ["mcp__relay__relay_send"],
    deny: ["Read(~/.relay_buffer.db*)"],
  });
});
