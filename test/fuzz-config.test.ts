// Whatever stands in the files that setup, uninstall and doctor read: an answer, and nothing of anybody's lost.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { assertFor, bent, broken, bytesOf, json, written } from "./support/bent.ts";
import { laidOut } from "./support/json-layout.ts";
import { type Outcome, type Sandbox, sandbox } from "./support/sandbox.ts";

// FUZZ_SECONDS=600 looks further
const seconds = Number(Bun.env.FUZZ_SECONDS ?? 30);
const commandMilliseconds = 30_000;

/** Files by their path below the home folder. */
type Files = Record<string, string>;

const recordPath = ".relay_install.json";
const codePath = ".claude.json";
const project = "project";

/** What others have there, each thing with a mark by which it is found again. */
const theirs: Files = Object.fromEntries(
  Object.entries({
    ".config/Claude/claude_desktop_config.json": {
      mcpServers: { mine: { command: "mark-desktop-server", args: ["a"] } },
      theme: "mark-desktop-theme",
    },
    [codePath]: {
      mcpServers: { mine: { command: "mark-code-server" } },
      projects: { "/somewhere": { mcpServers: {}, history: ["mark-code-history"] } },
      userID: "mark-code-user",
    },
    ".claude/settings.json": {
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

/** Claude Code as far as registrations go: it parses its own file, keeps all that it does not know, and writes it anew. */
const claudeProgram = `
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const [verb, what, , text] = process.argv.slice(2);
if (verb === "--version") console.log("2.1.330 (Claude Code)");
else {
  const file = process.env.HOME + "/${codePath}";
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
  const text = `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@" 2>/dev/null\n`;
  writeFileSync(join(programs, "claude"), text, { mode: 0o755 });
}

/** A file's content as some person, program or disk may have left it. */
function spoiled(text: string): fc.Arbitrary<Uint8Array> {
  const value = bent(JSON.parse(text));
  const texts = fc.oneof(
    { weight: 6, arbitrary: value.map((each) => JSON.stringify(each, null, 2) ?? "") },
    { weight: 3, arbitrary: laidOut(value) },
    { weight: 1, arbitrary: json.map(written) },
    { weight: 1, arbitrary: fc.constantFrom("", " \n", "null", "[]", "{}", '"x"', "5", "{},{}", "\uFEFF") },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('"mcpServers":{}', '"hooks":{}', '"files":[]')
        .map((twice) => text.replace("{", `{${twice},`)),
    },
    {
      weight: 1,
      arbitrary: fc.nat(3_000_000).map((length) => text.replace("{", `{"long":"${"x".repeat(length)}",`)),
    },
  );
  return fc.oneof(
    { weight: 8, arbitrary: texts.map(bytesOf) },
    { weight: 3, arbitrary: broken(fc.constant(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    { weight: 1, arbitrary: fc.constant(Buffer.from(text, "utf16le")) },
  );
}

interface Damage {
  path: string;
  bytes: Uint8Array;
}

function damageTo(files: Files): fc.Arbitrary<Damage> {
  const [first = "", ...rest] = Object.keys(files);
  return fc.constantFrom(first, ...rest).chain((path) =>
    spoiled(files[path] ?? "").map((bytes) => ({
      path,
      bytes,
      [fc.toStringMethod]: () => `${path}: ${Buffer.from(bytes).toString().slice(0, 1_500)}`,
    })),
  );
}

/** Everything in the home folder, and nothing else, is as it is said. */
function restore(box: Sandbox, files: Files): void {
  rmSync(box.home, { recursive: true });
  for (const [path, text] of Object.entries(files)) put(box, path, bytesOf(text));
  mkdirSync(join(box.home, project, ".git"), { recursive: true });
}

function put({ home }: Sandbox, path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), bytes);
}

function contents({ home }: Sandbox, paths: readonly string[]): Files {
  const there = paths.filter((path) => existsSync(join(home, path)));
  return Object.fromEntries(there.map((path) => [path, readFileSync(join(home, path), "base64")]));
}

/** The marks in all of these, one for each time that it is there. */
function marksOf(files: Files): string[] {
  const texts = Object.values(files).map((content) => Buffer.from(content, "base64").toString());
  return texts.flatMap((text) => text.match(/mark-\w+(?:-\w+)?/g) ?? []).sort();
}

function isMissing(marks: string[], from: string[]): string[] {
  const left = [...from];
  return marks.filter((mark) => {
    const place = left.indexOf(mark);
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

/** What no person could make sense of. */
const defect =
  /\bat \S+:\d|\$bunfs|undefined|\[object|Error\b|not a function|not iterable|not an object \(|JSON Parse|stack/;

function expectSense(args: string[], { status, stdout, stderr }: Outcome): void {
  const command = args.join(" ");
  expect([command, status, stderr]).toEqual([
    command,
    status === 0 ? 0 : 1,
    status === 0 ? "" : expect.stringMatching(/^relay: [^\n]+\n$/),
  ]);
  expect([command, stderr]).toEqual([command, expect.not.stringMatching(defect)]);
  expect([command, stdout]).toEqual([command, expect.not.stringMatching(defect)]);
}

async function run(box: Sandbox, ...args: string[]): Promise<Outcome> {
  const before = performance.now();
  const outcome = await box.relay(args, { cwd: join(box.home, project) });
  expect([args, performance.now() - before < commandMilliseconds]).toEqual([args, true]);
  if (args.includes("--json")) {
    const { stderr } = outcome;
    const [report, error] = [JSON.parse(outcome.stdout), stderr === "" ? null : JSON.parse(stderr)];
    expect(error).toEqual(report.ok ? null : { ok: false, error: expect.any(String), code: 1 });
  } else expectSense(args, outcome);
  return outcome;
}

/** What each command does with these files, and what is left in the end. */
async function judge(box: Sandbox, { path, bytes }: Damage, wasSetUp: boolean): Promise<void> {
  const paths = [...Object.keys(theirs), recordPath];
  const spoiltContent = Buffer.from(bytes).toString("base64");
  const before = contents(box, paths);
  await Promise.all([run(box, "doctor"), run(box, "doctor", "--json")]);
  expect(contents(box, paths)).toEqual(before);

  const setup = await run(box, "setup");
  const between = contents(box, paths);
  const foreign = (files: Files) =>
    Object.fromEntries(Object.entries(files).filter(([file]) => file.startsWith(project)));
  expect(foreign(between)).toEqual(foreign(before));
  if (setup.status !== 0 && path !== codePath) expect(between[path]).toBe(spoiltContent);
  expect(isMissing(marksOf(before), marksOf({ ...between, [recordPath]: "" }))).toEqual([]);

  const removal = await run(box, "uninstall");
  const after = contents(box, paths);
  expect(foreign(after)).toEqual(foreign(before));
  expect(isMissing(marksOf(before), marksOf({ ...after, [recordPath]: "" }))).toEqual([]);
  if (removal.status !== 0 || setup.status !== 0 || wasSetUp) return;
  const { [codePath]: _, ...rest } = before; // which Claude Code writes in its own way
  const { [codePath]: __, ...left } = after;
  expect(left).toEqual(rest);
}

const limit = seconds * 10_000 + 120_000;

test(
  "in files of others, before relay is set up",
  async () => {
    await using box = sandbox();
    installClaude(box);
    await assertFor(
      seconds / 2,
      fc.asyncProperty(
        damageTo({ ...theirs, [recordPath]: '{"version":1,"files":[],"registrations":[]}' }),
        async (damage) => {
          restore(box, theirs);
          put(box, damage.path, damage.bytes);
          await judge(box, damage, false);
        },
      ),
    );
  },
  limit,
);

test(
  "in files of others, and in relay's own record, once relay is set up",
  async () => {
    await using box = sandbox();
    installClaude(box);
    restore(box, theirs);
    expect(await run(box, "setup")).toMatchObject({ status: 0 });
    const paths = [...Object.keys(theirs), recordPath, ".claude/commands/get.md"];
    const wired = Object.fromEntries(
      Object.entries(contents(box, paths)).map(([path, content]) => [
        path,
        Buffer.from(content, "base64").toString(),
      ]),
    );
    const { ".claude/commands/get.md": _, ...spoilable } = wired;
    await assertFor(
      seconds / 2,
      fc.asyncProperty(damageTo(spoilable), async (damage) => {
        restore(box, wired);
        put(box, damage.path, damage.bytes);
        await judge(box, damage, true);
      }),
    );
  },
  limit,
);
