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
import type { SetupContext } from "../src/setup/setup-context.ts";
import { laidOut } from "./support/json-layout.ts";
import { snapshot } from "./support/setup.ts";
import { systemOf } from "./support/system.ts";

const program = "/opt/tools/relay";
const settingsPath = ".claude/settings.json";
const desktopPath = ".config/Claude/claude_desktop_config.json";
const commandPath = ".claude/commands/get.md";

/** A home folder with a Claude Code in it that registers nothing but in its own file. */
function openHome(files: Record<string, string>) {
  const home = mkdtempSync(join(tmpdir(), "relay-property-"));
  const claude = join(home, "claude");
  writeFileSync(
    claude,
    `#!/bin/sh
case "$2" in
  "") echo 2.1.330 ;;
  add-json) printf '{"mcpServers":{"relay":%s}}' "$4" >"$HOME/.claude.json" ;;
  remove) echo '{}' >"$HOME/.claude.json" ;;
esac
`,
    { mode: 0o755 },
  );
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  const system = {
    ...systemOf("linux", { HOME: home, PATH: "/usr/bin:/bin" }, [program, claude]),
    exists: existsSync,
  };
  const context: SetupContext = {
    system,
    places: placesOf(home, system),
    executable: program,
    folder: home,
    buffer: null,
  };
  const record = context.places.installRecord;
  return {
    home,
    async setup(statusline: boolean) {
      const plan = async () =>
        mergePlans([await planCode(context, { scope: "user", statusline }), await planDesktop(context)]);
      return applyPlan(plan, record);
    },
    uninstall: () => applyPlan(() => planRemoval(context), record, { continueOnError: true }),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

const rule = fc.constantFrom(
  "mcp__relay__relay_send",
  "Bash(ls)",
  "Read(~/.relay_buffer.db*)",
  "Read(./.env)",
);
const command = fc.record({
  type: fc.constant("command"),
  command: fc.constantFrom("echo hi", "/opt/relay hook session-start", "date"),
});
const entry = fc.record(
  { hooks: fc.array(command, { minLength: 1, maxLength: 2 }) },
  { requiredKeys: ["hooks"] },
);
const settings = fc.record(
  {
    hooks: fc.dictionary(
      fc.constantFrom("SessionStart", "UserPromptExpansion", "Stop"),
      fc.array(entry, { maxLength: 3 }),
    ),
    permissions: fc.dictionary(fc.constantFrom("allow", "deny", "ask"), fc.array(rule, { maxLength: 3 })),
    sandbox: fc.record(
      {
        enabled: fc.boolean(),
        excludedCommands: fc.array(fc.constantFrom("docker *", "git"), { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
    statusLine: fc.record({ type: fc.constant("command"), command: fc.constant("date") }),
    env: fc.dictionary(fc.constantFrom("A", "B"), fc.string({ maxLength: 3 })),
    other: fc.jsonValue({ maxDepth: 2 }),
  },
  { requiredKeys: [] },
);
const config = fc.record(
  {
    mcpServers: fc.dictionary(fc.constantFrom("a", "b"), fc.record({ command: fc.string({ maxLength: 3 }) })),
    other: fc.jsonValue({ maxDepth: 2 }),
  },
  { requiredKeys: [] },
);

const homes = fc.record(
  {
    [settingsPath]: laidOut(settings),
    [desktopPath]: laidOut(config),
    [commandPath]: fc.constantFrom("my own", ""),
  },
  { requiredKeys: [] },
);

const runs = { numRuns: 60 };

test("setup then uninstall is the identity, byte for byte, and setup twice is setup once", async () => {
  await fc.assert(
    fc.asyncProperty(homes, fc.boolean(), async (files, statusline) => {
      using place = openHome(files as Record<string, string>);
      const before = snapshot(place.home);
      const first = await place.setup(statusline);
      expect(first.commands.length).toBe(1);
      const after = snapshot(place.home, []);
      const second = await place.setup(statusline);
      expect([second.commands, second.changes]).toEqual([[], []]);
      expect(snapshot(place.home, [])).toEqual(after);
      expect(
        JSON.parse(readFileSync(join(place.home, ".claude.json"), "utf8")).mcpServers.relay.command,
      ).toBe(program);
      await place.uninstall();
      expect(snapshot(place.home)).toEqual(before);
    }),
    runs,
  );
});

/** The values of a file, comments and layout aside. */
function values(home: string, path: string): unknown {
  return Bun.JSONC.parse(readFileSync(join(home, path), "utf8").replace(/^\uFEFF/, ""));
}

test("in files that somebody changed since, uninstall leaves the same values as if relay had never been there", async () => {
  await fc.assert(
    fc.asyncProperty(laidOut(settings), laidOut(config), async (ours, theirs) => {
      using place = openHome({ [settingsPath]: ours, [desktopPath]: theirs });
      const before = [values(place.home, settingsPath), values(place.home, desktopPath)];
      await place.setup(true);
      for (const path of [settingsPath, desktopPath]) {
        const file = join(place.home, path);
        writeFileSync(file, `${readFileSync(file, "utf8")}\n`);
      }
      await place.uninstall();
      expect([values(place.home, settingsPath), values(place.home, desktopPath)]).toEqual(before);
      expect(existsSync(join(place.home, ".relay_install.json"))).toBe(false);
    }),
    runs,
  );
});

test("any bytes as settings: done, or refused in one sentence that names the file, with nothing written", async () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(laidOut(settings), fc.nat(), fc.constantFrom('"', "{", "]", ",", "", "\0"))
      .map(([text, at, bit]) => {
        const cut = at % (text.length + 1);
        return Buffer.from(text.slice(0, cut) + bit + text.slice(cut + 1));
      }),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .constantFrom(
        "hooks",
        "permissions",
        "sandbox",
        "statusLine",
        "env",
        "hooks.SessionStart",
        "permissions.deny",
        "env.RELAY_DB",
      )
      .chain((path) =>
        fc
          .jsonValue({ maxDepth: 1 })
          .map((value) =>
            Buffer.from(
              JSON.stringify(path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)),
            ),
          ),
      ),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (bytes) => {
      using place = openHome({});
      const path = join(place.home, settingsPath);
      mkdirSync(dirname(path));
      writeFileSync(path, bytes);
      const before = snapshot(place.home, []);
      try {
        await place.setup(false);
      } catch (error) {
        expect(error).toBeInstanceOf(RelayError);
        expect((error as Error).message).toContain("settings.json");
        expect((error as Error).message).not.toContain("\n");
        expect(snapshot(place.home, [])).toEqual(before);
        return;
      }
      const { hooks } = values(place.home, settingsPath) as { hooks: Record<string, unknown[]> };
      expect(hooks.SessionStart).toContainEqual(hookEntries(program, false).SessionStart);
      await place.uninstall();
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }),
    { numRuns: 300 },
  );
}, 120_000);
