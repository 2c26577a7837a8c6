// With any content in the files that setup, uninstall and doctor read: an answer, and nothing of other programs lost.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { assertFor, bent, broken, bytesOf, json, written } from "./support/bent.ts";
import { laidOut } from "./support/json-layout.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";
import { paths, put } from "./support/setup.ts";

// FUZZ_SECONDS=600 looks further
const seconds = Number(Bun.env.FUZZ_SECONDS ?? 20);

/** Files by their path below the home folder. */
type Files = Record<string, string>;

const project = "project";

/** What other programs have there, each value with a mark by which it is found again. */
const theirs: Files = Object.fromEntries(
  Object.entries({
    [paths.desktop]: {
      mcpServers: { mine: { command: "mark-desktop-server", args: ["a"] } },
      theme: "mark-desktop-theme",
    },
    [paths.code]: {
      mcpServers: { mine: { command: "mark-code-server" } },
      projects: { "/somewhere": { mcpServers: {}, history: ["mark-code-history"] } },
      userID: "mark-code-user",
    },
    [paths.settings]: {
      hooks: { SessionStart: [{ hooks: [{ type: "command", command: "mark-hook" }] }] },
      permissions: { allow: ["Bash(mark-allowed)"], deny: ["Read(mark-denied)"] },
      env: { MINE: "mark-variable" },
      model: "mark-model",
    },
    [`${project}/.claude/settings.json`]: { disableAllHooks: false, env: { MINE: "mark-project" } },
    [`${project}/.claude/settings.local.json`]: { permissions: { deny: ["mark-local"] }, hooks: {} },
    [`${project}/.mcp.json`]: { mcpServers: { relay: { command: "mark-foreign", args: [] } } },
  }).map(([path, value]) => [path, `${JSON.stringify(value, null, 2)}\n`]),
);

/** Claude Code as far as registrations go: it parses its own file, and writes all of it again. */
const claudeProgram = `
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const [verb, what, , text] = process.argv.slice(2);
if (verb === "--version") console.log("2.1.330 (Claude Code)");
else {
  const file = process.env.HOME + "/${paths.code}";
  const config = existsSync(file) ? JSON.parse(readFileSync(file, "utf8").replace(/^\\uFEFF/, "")) : {};
  const servers = (config.mcpServers ??= {});
  if (typeof servers !== "object" || Array.isArray(servers)) throw new Error("mcpServers is no object");
  if (what === "remove") delete servers.relay;
  else if (servers.relay) throw new Error("relay exists");
  else servers.relay = JSON.parse(text);
  writeFileSync(file, JSON.stringify(config, null, 2));
}`;

function installClaude({ programs }: Sandbox): void {
  const script = join(programs, "claude.cjs");
  writeFileSync(script, claudeProgram);
  const starter = `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@" 2>/dev/null\n`;
  writeFileSync(join(programs, "claude"), starter, { mode: 0o755 });
}

/** A file's content as some person, program or disk may have left it. */
function damaged(text: string): fc.Arbitrary<Uint8Array> {
  const value = bent(JSON.parse(text));
  return fc.oneof(
    { weight: 6, arbitrary: value.map((each) => bytesOf(JSON.stringify(each, null, 2) ?? "")) },
    { weight: 3, arbitrary: laidOut(value).map(bytesOf) },
    { weight: 3, arbitrary: broken(fc.constant(text)) },
    { weight: 1, arbitrary: json.map(written).map(bytesOf) },
    { weight: 1, arbitrary: fc.constantFrom("", " \n", "null", "[]", '"x"', "{},{}", "\uFEFF").map(bytesOf) },
    { weight: 1, arbitrary: fc.constant(bytesOf(text.replace("{", '{"mcpServers":{},"hooks":{},'))) },
    { weight: 1, arbitrary: fc.constant(Buffer.from(text, "utf16le")) },
  );
}

const damages = fc.constantFrom(...Object.keys(theirs)).chain((path) =>
  damaged(theirs[path] ?? "").map((bytes) => ({
    path,
    bytes,
    [fc.toStringMethod]: () => `${path}: ${Buffer.from(bytes).toString().slice(0, 1_500)}`,
  })),
);

function contents({ home }: Sandbox): Files {
  const there = Object.keys(theirs).filter((path) => existsSync(join(home, path)));
  return Object.fromEntries(there.map((path) => [path, readFileSync(join(home, path), "base64")]));
}

function inProject(files: Files): Files {
  return Object.fromEntries(Object.entries(files).filter(([path]) => path.startsWith(project)));
}

/** The marks in all of these files, one for each time that it is there. */
function marksIn(files: Files): string[] {
  const texts = Object.values(files).map((content) => Buffer.from(content, "base64").toString());
  return texts.flatMap((text) => text.match(/mark-\w+(?:-\w+)?/g) ?? []);
}

function missing(before: Files, after: Files): string[] {
  const left = marksIn(after);
  return marksIn(before).filter((mark) => {
    const place = left.indexOf(mark);
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

/** Output that no person could make sense of. */
const defect =
  /\bat \S+:\d|\$bunfs|undefined|\[object|Error\b|not a function|not iterable|not an object \(|JSON Parse|stack/;

/** Runs a command, which must succeed, or fail with one sentence. */
async function run(box: Sandbox, ...args: string[]): Promise<number | null> {
  const { status, stdout, stderr } = await box.relay(args, { cwd: join(box.home, project) });
  const error = status === 0 ? "" : expect.stringMatching(/^relay: [^\n]+\n$/);
  expect([args, status, stderr]).toEqual([args, status === 0 ? 0 : 1, error]);
  expect([args, stdout + stderr]).toEqual([args, expect.not.stringMatching(defect)]);
  return status;
}

test.each([
  ["before relay is set up", false],
  ["once relay is set up", true],
])(
  "in files of other programs, %s",
  async (_when, isSetUp) => {
    await using box = sandbox();
    installClaude(box);
    await assertFor(
      seconds / 2,
      fc.asyncProperty(damages, async ({ path, bytes }) => {
        rmSync(box.home, { recursive: true });
        for (const [each, text] of Object.entries(theirs)) put(box, each, text);
        mkdirSync(join(box.home, project, ".git"));
        if (isSetUp) expect(await run(box, "setup")).toBe(0);
        put(box, path, bytes);
        const before = contents(box);

        await run(box, "doctor");
        expect(contents(box)).toEqual(before);

        const setup = await run(box, "setup");
        const between = contents(box);
        expect([inProject(between), missing(before, between)]).toEqual([inProject(before), []]);
        if (setup !== 0 && path !== paths.code) expect(between[path]).toBe(before[path] ?? "");

        const removal = await run(box, "uninstall");
        const after = contents(box);
        expect([inProject(after), missing(before, after)]).toEqual([inProject(before), []]);
        if (removal !== 0 || setup !== 0 || isSetUp) return;
        const { [paths.code]: _, ...rest } = before; // which Claude Code writes in its own way
        const { [paths.code]: __, ...left } = after;
        expect(left).toEqual(rest);
      }),
    );
  },
  seconds * 10_000 + 120_000,
);
