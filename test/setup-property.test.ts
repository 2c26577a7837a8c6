// Promise 4 for any settings and configurations: setup then uninstall is the identity, and setup twice is setup once.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { RelayError } from "../src/core/errors.ts";
import { placesOf } from "../src/platform/paths.ts";
import { hookEntries } from "../src/setup/claude-code.ts";
import { planDesktop } from "../src/setup/claude-desktop.ts";
import { planCode } from "../src/setup/code-plan.ts";
import { applyPlan, mergePlans } from "../src/setup/plan.ts";
import { planRemoval } from "../src/setup/removal.ts";
import { bent, broken, bytesOf } from "./support/bent.ts";
import { laidOut } from "./support/json-layout.ts";
import { paths, snapshot } from "./support/setup.ts";
import { systemOf } from "./support/system.ts";

const program = "/opt/tools/relay";

const fakeClaude = `#!/bin/sh
case "$2" in
  "") echo 2.1.330 ;;
  add-json) printf '{"mcpServers":{"relay":%s}}' "$4" >"$HOME/.claude.json" ;;
  remove) echo '{}' >"$HOME/.claude.json" ;;
esac
`;

/** A home folder with a Claude Code in it that registers nothing but in its own file. */
function openHome(files: Record<string, string | Uint8Array>) {
  const home = mkdtempSync(join(tmpdir(), "relay-property-"));
  const claude = join(home, "claude");
  writeFileSync(claude, fakeClaude, { mode: 0o755 });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), content);
  }
  const variables = { HOME: home, PATH: "/usr/bin:/bin" };
  const system = { ...systemOf("linux", variables, [program, claude]), exists: existsSync };
  const places = placesOf(home, system);
  const context = { system, places, executable: program, folder: home, buffer: null };
  return {
    home,
    setup: (statusline = true) =>
      applyPlan(
        async () =>
          mergePlans([await planCode(context, { scope: "user", statusline }), await planDesktop(context)]),
        places.installRecord,
      ),
    uninstall: () => applyPlan(() => planRemoval(context), places.installRecord, { continueOnError: true }),
    /** The value of a file, comments and layout aside. */
    value: (path: string) => Bun.JSONC.parse(readFileSync(join(home, path), "utf8").replace(/^\uFEFF/, "")),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

const rules = fc.constantFrom(
  "mcp__relay__relay_send",
  "Bash(ls)",
  "Read(~/.relay_buffer.db*)",
  "Read(./.env)",
);
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
    [paths.desktop]: laidOut(config),
    [paths.command]: fc.constantFrom("my own", ""),
  },
  { requiredKeys: [] },
);

const runs = { numRuns: 40 };

test("setup then uninstall is the identity, byte for byte, and setup twice is setup once", async () => {
  await fc.assert(
    fc.asyncProperty(homes, fc.boolean(), async (files, statusline) => {
      using place = openHome(files as Record<string, string>);
      const before = snapshot(place.home);
      expect((await place.setup(statusline)).commands.length).toBe(1);
      const after = snapshot(place.home, []);
      expect(await place.setup(statusline)).toMatchObject({ commands: [], changes: [] });
      expect(snapshot(place.home, [])).toEqual(after);
      expect(place.value(paths.code)).toMatchObject({ mcpServers: { relay: { command: program } } });
      await place.uninstall();
      expect(snapshot(place.home)).toEqual(before);
    }),
    runs,
  );
});

test("in files that were changed since, uninstall leaves the same values as if relay had never been there", async () => {
  await fc.assert(
    fc.asyncProperty(laidOut(settings), laidOut(config), async (code, desktop) => {
      using place = openHome({ [paths.settings]: code, [paths.desktop]: desktop });
      const values = () => [place.value(paths.settings), place.value(paths.desktop)];
      const before = values();
      await place.setup();
      for (const path of [paths.settings, paths.desktop])
        writeFileSync(join(place.home, path), "\n", { flag: "a" });
      await place.uninstall();
      expect(values()).toEqual(before);
      expect(existsSync(join(place.home, paths.record))).toBe(false);
    }),
    runs,
  );
});

const wrongKinds = bent({
  hooks: { SessionStart: [] },
  permissions: { allow: [], deny: [] },
  sandbox: { enabled: true, excludedCommands: [] },
  statusLine: {},
  env: { RELAY_DB: "/x.db" },
});

test("any bytes as settings: done, or refused in one sentence that names the file, with nothing written", async () => {
  const contents = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    broken(laidOut(settings)),
    fc.json().map(bytesOf),
    wrongKinds.map((value) => bytesOf(JSON.stringify(value) ?? "")),
  );
  await fc.assert(
    fc.asyncProperty(contents, async (bytes) => {
      using place = openHome({ [paths.settings]: bytes });
      const before = snapshot(place.home, []);
      try {
        await place.setup(false);
      } catch (error) {
        expect(error).toBeInstanceOf(RelayError);
        expect((error as Error).message).toMatch(/^[^\n]*settings\.json[^\n]*$/);
        expect(snapshot(place.home, [])).toEqual(before);
        return;
      }
      const { hooks } = place.value(paths.settings) as { hooks: Record<string, unknown[]> };
      expect(hooks.SessionStart).toContainEqual(hookEntries(program, false).SessionStart);
      await place.uninstall();
      expect(readFileSync(join(place.home, paths.settings)).equals(bytes)).toBe(true);
    }),
    { numRuns: 200 },
  );
}, 120_000);
