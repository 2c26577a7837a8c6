// design.md, "Identity", as a table.
import { describe, expect, test } from "bun:test";
import { identify, isInsideClaudeCode, personSession } from "../src/core/identity.ts";
import type { Ancestor } from "../src/core/leaked-variables.ts";
import { readEnvironment } from "../src/platform/environment.ts";

type Row = [
  clientInfo: string | undefined,
  variables: Record<string, string>,
  flag: "desktop" | "code" | undefined,
  client: string | null,
  refusal: RegExp | null,
];

const old = /may not ask the person first/;
const nested = /was started by a model/;

describe("a server", () => {
  const rows: Row[] = [
    [undefined, {}, undefined, null, null],
    ["claude-ai 0.1.0", {}, undefined, "desktop", null],
    ["claude-ai 0.1.0", {}, "code", "desktop", null],
    ["other 1.0.0", {}, "code", "code", null],
    ["other 1.0.0", {}, "desktop", "desktop", null],
    ["Claude-Code 2.1.330", {}, undefined, null, null],
    ["claude-code 2.1.330", {}, undefined, "code", null],
    ["claude-code 2.1.330", { CLAUDECODE: "1" }, "desktop", "code", null],
    ["claude-code 2.1.199", {}, undefined, "code", null],
    ["claude-code 2.1.198", {}, undefined, "code", old],
    ["claude-code 2.0.999", {}, undefined, "code", old],
    ["claude-code 1.9.999", {}, undefined, "code", old],
    ["claude-code 2.2.0", {}, undefined, "code", null],
    ["claude-code 3.0.0-beta.1", {}, undefined, "code", old],
    ["claude-code unknown", {}, undefined, "code", old],
    ["other 9.9.9", { CLAUDECODE: "1" }, "desktop", "code", old],
    [undefined, { CLAUDECODE: "1" }, undefined, "code", old],
    ["claude-ai 0.1.0", { CLAUDECODE: "1" }, "desktop", "code", old],
    ["local-agent-mode-relay 1.0.0", {}, "desktop", "code", /Desktop's Code tab may not ask the person first/],
    ["local-agent-mode-relay 1.0.0", { CLAUDECODE: "1" }, "desktop", "code", /Desktop's Code tab may not ask/],
    ["Local-Agent-Mode 1.0.0", {}, "desktop", "code", /Desktop's Code tab may not ask/],
    ["other 1.0.0", { CLAUDECODE: "0" }, undefined, null, null],
    ["claude-code 2.1.330", { CLAUDE_PID: "12" }, undefined, "code", nested],
    ["claude-code 2.1.330", { CLAUDE_CODE_CHILD_SESSION: "1" }, undefined, "code", nested],
    ["claude-code 2.1.330", { CLAUDE_CODE_SESSION_ATTENDED: "0" }, undefined, "code", nested],
    ["claude-code 2.1.330", { CLAUDE_CODE_SESSION_ATTENDED: "1" }, undefined, "code", null],
    ["claude-ai 0.1.0", { CLAUDE_PID: "12" }, undefined, "desktop", null],
  ];
  test.each(rows)("%s in %j with --client %s is %s", (clientInfo, variables, flag, client, refusal) => {
    const [name = "", version = ""] = clientInfo?.split(" ") ?? [];
    const identity = identify({
      clientInfo: clientInfo ? { name, version } : undefined,
      claudeCode: { ...readEnvironment(variables).claudeCode, ancestors: null },
      flag,
      isSpawned: true,
    });
    expect(identity.client as string | null).toBe(client);
    if (refusal) expect(identity.refusal?.message).toMatch(refusal);
    else expect(identity.refusal).toBeNull();
  });
});

/** Processes from the parent upwards: `claude` is Claude Code, a `+` carries CLAUDE_CODE_CHILD_SESSION. */
function chain(line: string): Ancestor[] {
  return line.split(" ").map((word, index) => {
    const name = word.replace("+", "");
    return { pid: 100 + index, name, isClaudeCode: name === "claude", childSession: word.endsWith("+") };
  });
}

describe("below", () => {
  const nowhere = { stdin: false, stdout: false, stderr: false };
  const [onTerminal, byProgram] = [{ ...nowhere, stdin: true }, /started by (python|a program) below Claude Code/];
  const leak = /started by a model, or variables of an older Claude Code live on/;
  const rows: [string, client: string | null, refusal: RegExp | null, command: boolean, typed: boolean | RegExp][] = [
    ["bash tmux init", null, null, false, false],
    ["claude bash tmux init", "code", null, true, true],
    ["claude bash+ tmux+ init", "code", null, true, true],
    ["bash+ claude bash init", "code", /started by bash below/, true, true],
    ["python bash+ claude init", "code", byProgram, true, true],
    ["python claude init", "code", byProgram, true, true],
    ["claude+ bash init", "code", leak, true, leak],
    ["claude+ script+ bash+ claude init", "code", nested, true, nested],
    ["claude script claude init", "code", nested, true, nested],
    ["python bash+ init", "code", leak, true, false],
  ];
  test.each(rows)("%s", (line, client, refusal, command, typed) => {
    const ancestors = chain(line);
    const pid = ancestors.find(({ isClaudeCode }) => isClaudeCode)?.pid ?? 1;
    const session = { id: "a", process: pid, project: null };
    const claudeCode = { ...readEnvironment({}).claudeCode, ancestors, session };
    const clientInfo = { name: "claude-code", version: "2.1.330" };
    const signs = { claudeCode, flag: undefined, isSpawned: true };
    expect(identify({ ...signs, clientInfo }).refusal?.message ?? "").toMatch(refusal ?? /^$/);
    expect(identify({ ...signs, clientInfo: undefined }).client as string | null).toBe(client);
    expect(isInsideClaudeCode({ claudeCode, terminal: nowhere })).toBe(command);
    expect(isInsideClaudeCode({ claudeCode, terminal: onTerminal })).toBe(/\bclaude/.test(line));
    if (typed instanceof RegExp) expect(() => personSession(claudeCode)).toThrow(typed);
    else expect(personSession(claudeCode)).toEqual(typed ? session : null);
  });
});

describe("a command", () => {
  const nowhere = { stdin: false, stdout: false, stderr: false };
  const commands: [variables: Record<string, string>, terminal: typeof nowhere, inside: boolean][] = [
    [{}, nowhere, false],
    [{ CLAUDECODE: "1" }, nowhere, true],
    [{ CLAUDECODE: "1" }, { ...nowhere, stdin: true }, false],
    [{ CLAUDECODE: "1" }, { ...nowhere, stdout: true }, false],
    [{ CLAUDECODE: "1" }, { ...nowhere, stderr: true }, false],
    [{ CLAUDE_CODE_CHILD_SESSION: "1" }, { stdin: true, stdout: true, stderr: true }, true],
    [{ CLAUDE_CODE_CHILD_SESSION: "0" }, nowhere, false],
  ];
  test.each(commands)("in %j at %j is inside Claude Code: %s", (variables, terminal, inside) => {
    const claudeCode = { ...readEnvironment(variables).claudeCode, ancestors: null };
    expect(isInsideClaudeCode({ claudeCode, terminal })).toBe(inside);
  });
});
