// design.md, "Identity", as a table.
import { describe, expect, test } from "bun:test";
import { identify, isInsideClaudeCode } from "../src/core/identity.ts";
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
    ["claude-ai 0.1.0", { CLAUDECODE: "1" }, undefined, "desktop", old],
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
      claudeCode: readEnvironment(variables).claudeCode,
      flag,
    });
    expect(identity.client as string | null).toBe(client);
    if (refusal) expect(identity.refusal?.message).toMatch(refusal);
    else expect(identity.refusal).toBeNull();
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
    expect(isInsideClaudeCode({ ...readEnvironment(variables), terminal })).toBe(inside);
  });
});
