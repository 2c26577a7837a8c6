// Promise 4 for any content of other programs' files: setup then uninstall is the identity, and nothing of theirs is lost.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { errorMessage, RelayError } from "../src/core/errors.ts";
import { readConfiguration } from "../src/doctor/configuration.ts";
import { examine } from "../src/doctor/examine.ts";
import { placesOf } from "../src/platform/paths.ts";
import { planDesktop } from "../src/setup/claude-desktop.ts";
import { planCode } from "../src/setup/code-plan.ts";
import { applyPlan, mergePlans } from "../src/setup/plan.ts";
import { planRemoval } from "../src/setup/removal.ts";
import { bent, broken, bytesOf } from "./support/bent.ts";
import { systemOf } from "./support/fake-system.ts";
import { laidOut } from "./support/json-layout.ts";
import { paths, snapshot } from "./support/setup-box.ts";

const program = "/opt/tools/relay";

const fakeClaude = `#!/bin/sh
case "$2" in
  "") echo 2.1.330 ;;
  add-json) printf '{"mcpServers":{"relay":%s}}' "$4" >"$HOME/.claude.json" ;;
  remove) echo '{}' >"$HOME/.claude.json" ;;
esac
`;

const programs = mkdtempSync(join(tmpdir(), "relay-property-programs-"));
const claude = join(programs, "claude");
writeFileSync(claude, fakeClaude, { mode: 0o755 });
afterAll(() => rmSync(programs, { recursive: true }));

// in memory, where nothing waits for the disk to have each file of some thousand
const folder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A home folder, and a Claude Code that registers nothing but in its own file. */
function openHome(files: Record<string, string | Uint8Array>) {
  const home = mkdtempSync(join(folder, "relay-property-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), content);
  }
  const variables = { HOME: home, PATH: "/usr/bin:/bin" };
  const system = { ...systemOf("linux", variables, [program, claude]), exists: existsSync };
  const places = placesOf(home, system);
  const context = { system, places, executable: program, folder: join(home, "project"), buffer: null };
  const subject = { context, version: "1", bufferPath: () => join(home, "b.db"), notifier: null, database: () => null };
  return {
    home,
    examine: () =>
      examine({
        ...subject,
        configuration: readConfiguration(places, context.folder),
        probe: async () => ({ version: "1", tools: [] }),
      }),
    setup: (statusline = true) =>
      applyPlan(
        async () => mergePlans([await planCode(context, { scope: "user", statusline }), await planDesktop(context)]),
        places.installRecord,
      ),
    uninstall: () => applyPlan(() => planRemoval(context), places.installRecord, { continueOnError: true }),
    /** The value of a file, layout aside. */
    value: (path: string) => JSON.parse(readFileSync(join(home, path), "utf8").replace(/^\uFEFF/, "")),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

const rules = fc.constantFrom("mcp__relay__relay_send", "Bash(ls)", "Read(~/.relay_buffer.db*)", "Read(./.env)");
const commands = fc.constantFrom("echo hi", "/opt/relay hook session-start", "date");
const hooks = fc.array(fc.record({ type: fc.constant("command"), command: commands }), {
  minLength: 1,
  maxLength: 2,
});
const settings = fc.record(
  {
    hooks: fc.dictionary(
      fc.constantFrom("SessionStart", "UserPromptExpansion", "Stop"),
      fc.array(fc.record({ hooks }), { maxLength: 3 }),
    ),
    permissions: fc.dictionary(fc.constantFrom("allow", "deny", "ask"), fc.array(rules, { maxLength: 3 })),
    sandbox: fc.record(
      {
        enabled: fc.boolean(),
        excludedCommands: fc.array(fc.constantFrom("docker *", "git"), { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
    statusLine: fc.constant({ type: "command", command: "date" }),
    env: fc.dictionary(fc.constantFrom("A", "B"), fc.string({ maxLength: 3 })),
    other: fc.jsonValue({ maxDepth: 2 }),
  },
  { requiredKeys: [] },
);
const server = fc.record({ command: fc.string({ maxLength: 3 }) });
const config = fc.record(
  { mcpServers: fc.dictionary(fc.constantFrom("a", "b"), server), other: fc.jsonValue({ maxDepth: 2 }) },
  { requiredKeys: [] },
);
const homes = fc.record(
  {
    [paths.settings]: laidOut(settings),
    [paths.desktop]: laidOut(config, [""]), // Desktop bears no byte order mark
    [paths.command]: fc.constantFrom("my own", ""),
  },
  { requiredKeys: [] },
);

test("setup twice is setup once, and uninstall restores every byte, or every value of files changed since", async () => {
  await fc.assert(
    fc.asyncProperty(homes, fc.boolean(), fc.boolean(), async (files, statusline, isChanged) => {
      using place = openHome(files as Record<string, string>);
      const ours = [paths.settings, paths.desktop].filter((path) => files[path] !== undefined);
      const look = () => (isChanged ? ours.map(place.value) : snapshot(place.home));
      const before = look();
      expect((await place.setup(statusline)).commands.length).toBe(1);
      const after = snapshot(place.home, []);
      expect(await place.setup(statusline)).toMatchObject({ commands: [], changes: [] });
      expect(snapshot(place.home, [])).toEqual(after);
      expect(place.value(paths.code)).toMatchObject({ mcpServers: { relay: { command: program } } });
      if (isChanged) for (const path of ours) writeFileSync(join(place.home, path), "\n", { flag: "a" });
      await place.uninstall();
      expect(look()).toEqual(before);
      expect(existsSync(join(place.home, paths.record))).toBe(false);
    }),
    { numRuns: 60 },
  );
});

/** Files of other programs, each value with a mark. */
const theirs: Record<string, string> = {
  [paths.settings]: `{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "mark-1"}]}]},
    "permissions": {"allow": ["mark-2"], "deny": ["mark-3"]}, "sandbox": {"enabled": true}, "env": {"A": "mark-4"}}`,
  [paths.desktop]: '{"mcpServers": {"mine": {"command": "mark-5", "args": ["a"]}}, "theme": "mark-6"}',
  [paths.code]: '{"mcpServers": {"mine": {"command": "x"}}, "projects": {"/x": {"mcpServers": {}}}}',
  "project/.claude/settings.json": '{"disableAllHooks": false, "env": {"A": "mark-7"}}',
  "project/.mcp.json": '{"mcpServers": {"relay": {"command": "mark-8", "args": []}}}',
};

/** A file's content as a person, a program or a disk may have left it. */
function damaged(text: string): fc.Arbitrary<Uint8Array> {
  const value = bent(JSON.parse(text));
  const twice = `{"mcpServers":{},"hooks":{},${text.slice(1)}`;
  const odd = fc.constantFrom("", " \n", "null", "[]", "{},{}", "\uFEFF", twice);
  return fc.oneof(
    { weight: 4, arbitrary: value.map((each) => bytesOf(JSON.stringify(each) ?? "")) },
    { weight: 2, arbitrary: laidOut(value).map(bytesOf) },
    { weight: 2, arbitrary: broken(fc.constant(text)) },
    { weight: 1, arbitrary: fc.oneof(odd.map(bytesOf), fc.constant(Buffer.from(text, "utf16le"))) },
  );
}

const damages = fc
  .constantFrom(...Object.keys(theirs))
  .chain((path) => fc.tuple(fc.constant(path), damaged(theirs[path] ?? "")));

/** Output that no person could make sense of. */
const defect = /\bat \S+:\d|undefined|\[object|Error\b|not a function|not iterable|not an object \(|JSON Parse|\n/;

function expectSentence(error: unknown): void {
  expect(error).toBeInstanceOf(RelayError);
  expect(errorMessage(error)).not.toMatch(defect);
}

test("with anything in a file of another program: done, or refused in one sentence, and nothing of it is lost", async () => {
  await fc.assert(
    fc.asyncProperty(damages, fc.boolean(), async ([path, bytes], isSetUp) => {
      using place = openHome(theirs);
      if (isSetUp) await place.setup();
      writeFileSync(join(place.home, path), bytes);
      const look = () => snapshot(place.home, [paths.record, paths.code]); // Claude Code writes the latter in its own way
      const marks = () =>
        Object.values(look()).flatMap((file) => atob(file.split(" ")[1] ?? "").match(/mark-\d/g) ?? []);
      const [before, marked] = [look(), marks()];

      for (const { detail, fix } of await place.examine()) expect(`${detail} ${fix}`).not.toMatch(defect);
      expect(look()).toEqual(before);

      const done = await place.setup().catch((error: unknown) => error);
      if (done instanceof Error) expectSentence(done);
      if (done instanceof Error) expect(look()).toEqual(before);
      expect(marks()).toEqual(expect.arrayContaining(marked));

      const { failures } = await place.uninstall();
      failures.forEach(expectSentence);
      expect(marks()).toEqual(expect.arrayContaining(marked));
      if (!isSetUp && failures.length === 0) expect(look()).toEqual(before);
    }),
    { numRuns: 100 },
  );
});
