// `relay doctor` names what is wrong, with its fix, and changes nothing. design.md, "Command line".
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkBuffer } from "../src/doctor/buffer-check.ts";
import type { Finding, Subject } from "../src/doctor/check.ts";
import { readConfiguration } from "../src/doctor/configuration.ts";
import { examine } from "../src/doctor/examine.ts";
import { placesOf } from "../src/platform/paths.ts";
import { commandFile } from "../src/setup/claude-code.ts";
import { claude } from "./support/claude-code.ts";
import { wipe } from "./support/damage.ts";
import { openPatiently } from "./support/database.ts";
import { canNotify, desktopSession } from "./support/desktop-session.ts";
import { relayBinary, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";
import { copyBinary, installFakeClaude, json, put, snapshot } from "./support/setup.ts";
import { systemOf } from "./support/system.ts";

const settingsPath = ".claude/settings.json";
const desktopPath = ".config/Claude/claude_desktop_config.json";

/** A home in which `relay setup` was run for both Claudes, with a buffer. */
async function wired(): Promise<Sandbox> {
  const box = sandbox();
  installFakeClaude(box);
  symlinkSync(relayBinary, join(box.programs, "relay"));
  mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
  const done = await box.relay(["setup"]);
  if (done.status !== 0) throw new Error(done.stderr);
  await sendAll(box, "code", ["one"]);
  mkdirSync(join(box.home, "project"));
  return box;
}

interface Report {
  status: number | null;
  ok: boolean;
  checks: Finding[];
}

async function doctor(box: Sandbox, options: Parameters<Sandbox["relay"]>[1] = {}): Promise<Report> {
  const cwd = join(box.home, "project");
  const { status, stdout } = await box.relay(["doctor", "--json"], { cwd, ...options });
  return { status, ...JSON.parse(stdout) };
}

/** The findings that are not ok, as one line each. */
function wrong({ checks }: Report): string[] {
  return checks
    .filter(({ status }) => status !== "ok")
    .map(({ status, name, detail }) => `${status} ${name}: ${detail}`);
}

/** Changes a JSON file below the home folder. */
// biome-ignore lint/suspicious/noExplicitAny: files of other programs
function change(box: Sandbox, path: string, edit: (value: any) => void): void {
  const value = json(box, path);
  edit(value);
  put(box, path, value);
}

describe("after relay setup", () => {
  test("everything is well, for people and for programs, and nothing is changed by looking", async () => {
    await using box = await wired();
    const before = snapshot(box.home);
    const report = await doctor(box);
    expect(wrong(report)).toEqual([]);
    expect(report).toMatchObject({ status: 0, ok: true });
    const program = join(box.programs, "relay");
    const named = Object.fromEntries(report.checks.map(({ name, detail }) => [name, detail]));
    const { version } = await Bun.file(join(import.meta.dir, "../package.json")).json();
    expect(named).toEqual({
      relay: `${version}, ${program}`,
      buffer: `${box.buffer}, mode 0600, uid ${process.getuid?.()}, schema 1005: 1 of 20 messages, 0 unread for Desktop, 1 unread for Code`,
      "Claude Code": `2.1.330, ${join(box.programs, "claude")}`,
      "server of Code": `starts and answers: ${program} --client code`,
      "hook UserPromptExpansion": `runs ${program}`,
      "hook SessionStart": `runs ${program}`,
      rules: "the model may send, and not read the buffer's file",
      command: `/get runs ${program}`,
      "server of Desktop": `starts and answers: ${program} --client desktop`,
      "same buffer": `both Claudes use ${box.buffer}`,
    });
    const { status, stdout, stderr } = await box.relay(["doctor"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^ok {4}buffer +\//m);
    expect(snapshot(box.home)).toEqual(before);
  });

  test("what is wrong stands with its fix, and the status is 1", async () => {
    await using box = await wired();
    rmSync(join(box.home, ".claude/commands/get.md"));
    const { status, stdout, stderr } = await box.relay(["doctor"]);
    expect([status, stderr]).toEqual([1, "relay: 1 problem found; see the fix above\n"]);
    expect(stdout).toMatch(/^fail {2}command +there is no command \/get\n +Run: relay setup-code$/m);
    await box.relay(["setup"]);
    expect((await box.relay(["doctor"])).status).toBe(0);
  });
});

const copy = (box: Sandbox) => copyBinary(relayBinary, join(box.home, "other/relay"));

const troubles: [
  name: string,
  make: (box: Sandbox) => void,
  expected: (box: Sandbox) => (string | RegExp)[],
][] = [
  [
    "another relay before this one in PATH",
    (box) => {
      rmSync(join(box.programs, "relay"));
      copyBinary(relayBinary, join(box.programs, "relay"));
    },
    (box) => [`warn PATH: a shell starts another relay: ${join(box.programs, "relay")}`],
  ],
  [
    "a buffer that others can read",
    (box) => chmodSync(box.buffer, 0o644),
    (box) => [`warn buffer: others can read ${box.buffer}`],
  ],
  ["a damaged buffer", (box) => wipe(box.buffer, 2, 0xff), () => [/^fail buffer: .* is damaged: /]],
  [
    "a text in its place",
    (box) => writeFileSync(box.buffer, "Dear diary,\n".repeat(100)),
    () => [/^fail buffer: .* is damaged: SQLite cannot read it/],
  ],
  [
    "a folder in its place",
    (box) => {
      rmSync(box.buffer);
      mkdirSync(box.buffer);
    },
    () => [/^fail buffer: .* is a folder, not a file/],
  ],
  [
    "a Claude Code that protects nobody",
    (box) => installFakeClaude(box, "2.1.198"),
    () => [/^fail Claude Code: Claude Code 2\.1\.198 would let a model read/],
  ],
  [
    "no server in Claude Code",
    (box) => change(box, ".claude.json", (config) => delete config.mcpServers.relay),
    () => ["fail server of Code: is not registered in Claude Code"],
  ],
  [
    "no server in Claude Desktop",
    (box) => change(box, desktopPath, (config) => delete config.mcpServers.relay),
    (box) => [`fail server of Desktop: is not registered in ${join(box.home, desktopPath)}`],
  ],
  [
    "a server that is gone",
    (box) =>
      change(box, desktopPath, (config) =>
        Object.assign(config.mcpServers.relay, { command: "/nowhere/relay" }),
      ),
    () => [/^fail server of Desktop: \/nowhere\/relay --client desktop does not start and answer: .*ENOENT/],
  ],
  [
    "a server with an argument that is no text",
    (box) =>
      change(box, desktopPath, (config) =>
        Object.assign(config.mcpServers.relay, { args: ["--client", "desktop", {}] }),
      ),
    (box) => [
      `fail server of Desktop: has an argument or a variable that is not a string, in ${join(box.home, desktopPath)}`,
    ],
  ],
  [
    "a server with a variable that is no text",
    (box) =>
      change(box, ".claude.json", (config) =>
        Object.assign(config.mcpServers.relay, { env: { RELAY_NOTIFY: false } }),
      ),
    (box) => [
      `fail server of Code: has an argument or a variable that is not a string, in ${join(box.home, ".claude.json")}`,
    ],
  ],
  [
    "a server that does not start with these arguments",
    (box) =>
      change(box, ".claude.json", (config) =>
        Object.assign(config.mcpServers.relay, { args: ["--client", "code", "--sonud"] }),
      ),
    () => [
      /^fail server of Code: .*relay --client code --sonud does not start and answer: .*unknown flag --sonud/,
    ],
  ],
  [
    "a server that the entry's own variables break",
    (box) =>
      change(box, ".claude.json", (config) =>
        Object.assign(config.mcpServers.relay, {
          env: { BUN_OPTIONS: "--no-such-option-at-all", BUN_BE_BUN: "1" },
        }),
      ),
    () => [/^fail server of Code: .* does not start and answer: /],
  ],
  [
    "a program that is no relay",
    (box) => {
      put(box, "fake/relay", "#!/bin/sh\necho 'I am a shell script' >&2\nexit 3\n", 0o755);
      change(box, desktopPath, (config) =>
        Object.assign(config.mcpServers.relay, { command: join(box.home, "fake/relay") }),
      );
    },
    () => [/^fail server of Desktop: .* does not start and answer: .*I am a shell script$/],
  ],
  [
    "somebody else's server of that name",
    (box) =>
      change(box, ".claude.json", (config) =>
        Object.assign(config.mcpServers.relay, { command: "touch", args: [join(box.home, "started")] }),
      ),
    (box) => [`fail server of Code: another program's server is called relay in ${box.home}/.claude.json`],
  ],
  [
    "the Python server in relay's place",
    (box) =>
      change(box, desktopPath, (config) =>
        Object.assign(config.mcpServers, { relay: { command: "uvx", args: ["mcp-server-relay"] } }),
      ),
    () => [/^fail server of Desktop: is still the Python server/],
  ],
  [
    "the Python server beside it",
    (box) =>
      change(box, desktopPath, (config) =>
        Object.assign(config.mcpServers, { old: { command: "uvx", args: ["mcp-server-relay"] } }),
      ),
    (box) => [`warn Python server: is still there: old in ${join(box.home, desktopPath)}`],
  ],
  [
    "no hook for tickets",
    (box) => change(box, settingsPath, ({ hooks }) => delete hooks.UserPromptExpansion),
    () => ["fail hook UserPromptExpansion: is not in your settings; it issues the tickets of /get"],
  ],
  [
    "no hook at the start",
    (box) => change(box, settingsPath, ({ hooks }) => delete hooks.SessionStart),
    () => ["warn hook SessionStart: is not in your settings; it tells how many messages wait"],
  ],
  [
    "a hook whose program is gone",
    (box) => {
      const text = readFileSync(join(box.home, settingsPath), "utf8");
      put(box, settingsPath, text.replaceAll(join(box.programs, "relay"), "/nowhere/relay"));
    },
    () => [
      "fail hook UserPromptExpansion: runs /nowhere/relay, which does not exist",
      "warn hook SessionStart: runs /nowhere/relay, which does not exist",
    ],
  ],
  [
    "hooks switched off by the person",
    (box) => change(box, settingsPath, (settings) => Object.assign(settings, { disableAllHooks: true })),
    () => [
      "fail hooks: are switched off by disableAllHooks in the user settings, so /get finds no ticket and refuses",
    ],
  ],
  [
    "hooks switched off by the project",
    (box) => void put(box, "project/.claude/settings.json", { disableAllHooks: true }),
    () => [
      "fail hooks: are switched off by disableAllHooks in the project settings, so /get finds no ticket and refuses",
    ],
  ],
  [
    "hooks switched off for this checkout",
    (box) =>
      void put(box, "project/.claude/settings.local.json", '{\n  // quiet\n  "disableAllHooks": true,\n}\n'),
    () => [/^fail hooks: are switched off by disableAllHooks in the project-local settings/],
  ],
  [
    "rules that are missing",
    (box) => change(box, settingsPath, (settings) => delete settings.permissions),
    () => ["warn rules: are missing from your settings: mcp__relay__relay_send, Read(~/.relay_buffer.db*)"],
  ],
  [
    "a sandbox",
    (box) => change(box, settingsPath, (settings) => Object.assign(settings, { sandbox: { enabled: true } })),
    () => ["fail sandbox: is on, and keeps /get from the buffer"],
  ],
  [
    "settings that are no JSON",
    (box) => void put(box, settingsPath, "{ oops"),
    (box) => [
      new RegExp(`^fail configuration: ${box.home}/${settingsPath}`),
      /^fail hook UserPromptExpansion/,
      /^warn hook SessionStart/,
      /^warn rules/,
    ],
  ],
  [
    "a skill of the person's before the command",
    (box) => void put(box, ".claude/skills/get/SKILL.md", "my own"),
    (box) => [`fail command: your own skill ${box.home}/.claude/skills/get/SKILL.md is run in place of /get`],
  ],
  [
    "somebody else's command",
    (box) => void put(box, ".claude/commands/get.md", "Get milk."),
    () => ["fail command: /get is not relay's, and there is no /relay"],
  ],
  [
    "a command whose program is gone",
    (box) => void put(box, ".claude/commands/get.md", commandFile("/my (old)/it's/relay")),
    () => ["fail command: /get runs /my (old)/it's/relay, which does not exist"],
  ],
  [
    "a command that somebody changed",
    (box) =>
      void put(box, ".claude/commands/get.md", commandFile(copy(box)).replace("Read what", "Show what")),
    () => ["warn command: /get is not as setup writes it"],
  ],
  [
    "a project's own command, skill and server",
    (box) => {
      put(box, "project/.claude/commands/get.md", "x");
      put(box, "project/.claude/skills/get/SKILL.md", "x");
      put(box, "project/.mcp.json", {
        mcpServers: { relay: { command: "touch", args: [join(box.home, "started")] } },
      });
    },
    (box) => [
      `warn project: ${box.home}/project/.claude/commands/get.md may be run in place of your own command, and gets no ticket`,
      `warn project: ${box.home}/project/.claude/skills/get/SKILL.md may be run in place of your own command, and gets no ticket`,
      `warn project: a server called relay in ${box.home}/project/.mcp.json takes the place of yours here`,
    ],
  ],
  [
    "two buffers",
    (box) =>
      change(box, desktopPath, (config) =>
        Object.assign(config.mcpServers.relay, { env: { RELAY_DB: join(box.home, "mine.db") } }),
      ),
    (box) => [
      `fail same buffer: the Claudes use different buffers: Code ${box.buffer}, /get ${box.buffer}, Desktop ${box.home}/mine.db`,
    ],
  ],
  [
    "another buffer for hooks and /get",
    (box) => {
      change(box, settingsPath, (settings) =>
        Object.assign(settings, { env: { RELAY_DB: join(box.home, "mine.db") } }),
      );
      change(box, ".claude.json", (config) =>
        Object.assign(config.mcpServers.relay, { env: { RELAY_DB: box.buffer } }),
      );
    },
    (box) => [
      `fail same buffer: the Claudes use different buffers: Code ${box.buffer}, /get ${box.home}/mine.db, Desktop ${box.buffer}`,
    ],
  ],
  [
    "another buffer in this project",
    (box) => void put(box, "project/.claude/settings.json", { env: { RELAY_DB: join(box.home, "mine.db") } }),
    (box) => [
      `fail same buffer: the Claudes use different buffers: Code ${box.home}/mine.db, /get ${box.home}/mine.db, Desktop ${box.buffer}`,
    ],
  ],
  [
    "the plugin beside the registration",
    (box) => {
      const installPath = join(box.home, ".claude/plugins/cache/relay/relay/0.1.0");
      put(box, ".claude/plugins/cache/relay/relay/0.1.0/skills/get/SKILL.md", commandFile(relayBinary));
      put(box, ".claude/plugins/installed_plugins.json", {
        version: 2,
        plugins: { "relay@relay": [{ scope: "user", installPath }] },
      });
      change(box, settingsPath, (settings) =>
        Object.assign(settings, { enabledPlugins: { "relay@relay": true } }),
      );
    },
    () => [
      "warn plugin: relay@relay is installed beside the registration, so Claude Code has everything twice",
    ],
  ],
  [
    "the bundle beside the registration",
    (box) => {
      const id = "local.mcpb.relay-developers.relay";
      const manifest = { name: "relay", tools: [{ name: "relay_send" }] };
      put(box, ".config/Claude/extensions-installations.json", { extensions: { [id]: { id, manifest } } });
    },
    () => [/^warn bundle: local\.mcpb\.relay-developers\.relay is installed beside/],
  ],
];

describe("it finds", () => {
  test.each(troubles)("%s", async (_name, make, expected) => {
    await using box = await wired();
    make(box);
    const before = snapshot(box.home);
    const report = await doctor(box);
    const found = wrong(report);
    const wanted = expected(box);
    expect(found.length).toBe(wanted.length);
    found.forEach((line, index) => {
      const want = wanted[index] ?? "";
      if (typeof want === "string") expect(line).toBe(want);
      else expect(line).toMatch(want);
    });
    const failing = found.some((line) => line.startsWith("fail "));
    expect(report).toMatchObject({ ok: !failing, status: failing ? 1 : 0 });
    for (const { status, fix } of report.checks) expect(fix === null).toBe(status === "ok");
    expect(snapshot(box.home)).toEqual(before);
    expect(existsSync(join(box.home, "started"))).toBe(false);
  });

  test("a RELAY_DB of this shell alone", async () => {
    await using box = await wired();
    const mine = join(box.home, "mine.db");
    expect(wrong(await doctor(box, { env: { RELAY_DB: mine } }))).toEqual([
      `warn same buffer: both Claudes use ${box.buffer}, and RELAY_DB here is ${mine}`,
    ]);
    const relative = await doctor(box, { env: { RELAY_DB: "relative" } });
    expect(wrong(relative)).toEqual(['fail buffer: RELAY_DB is "relative", which is not an absolute path']);
  });

  test("nothing after a setup with a RELAY_DB of the person's own", async () => {
    await using box = await wired();
    const env = { RELAY_DB: join(box.home, "my (own).db") };
    expect(await box.relay(["setup"], { env })).toMatchObject({ status: 0 });
    expect(wrong(await doctor(box, { env }))).toEqual([]);
  });

  test("nothing in a folder where pipes and folders lie in place of files", async () => {
    await using box = await wired();
    mkdirSync(join(box.home, "project/.claude/settings.json"), { recursive: true });
    await box.run(["mkfifo", "project/.mcp.json", "project/.claude/settings.local.json"]);
    expect(wrong(await doctor(box))).toEqual([]);
  });

  test("neither Claude: nothing to be wrong but that", async () => {
    await using box = sandbox();
    symlinkSync(relayBinary, join(box.programs, "relay"));
    const report = await doctor(box, { cwd: box.home });
    expect(report.status).toBe(0);
    expect(wrong(report)).toEqual(["warn Claude Code: is not installed: no claude in PATH or ~/.local/bin"]);
    expect(report.checks.find(({ name }) => name === "buffer")?.detail).toContain("does not exist yet");
  });

  test("a buffer of the original's, and one of a newer relay", async () => {
    await using box = await wired();
    rmSync(box.buffer);
    using db = openPatiently(box.buffer);
    db.run(
      "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT, message TEXT, timestamp TEXT)",
    );
    chmodSync(box.buffer, 0o600);
    const [found] = (await doctor(box)).checks.filter(({ name }) => name === "buffer");
    expect(found).toMatchObject({
      status: "ok",
      detail: expect.stringContaining("an early version of the Python server"),
    });
    db.run("PRAGMA user_version = 2000");
    expect(wrong(await doctor(box))).toEqual([
      expect.stringMatching(/^fail buffer: .* was written by a newer relay/),
    ]);
  });
});

test("an administrator's settings count, wherever the system keeps them", async () => {
  await using box = await wired();
  const managed = put(box, "managed.json", { allowManagedHooksOnly: true });
  const system = systemOf("linux");
  const places = { ...placesOf(box.home, system), managedSettings: [managed] };
  const subject: Subject = {
    context: { system, places, executable: relayBinary, folder: box.home, buffer: null },
    configuration: readConfiguration(places, box.home),
    version: "1",
    bufferPath: () => box.buffer,
    probe: async () => ({ version: "1", tools: ["relay_send"] }),
    notifier: null,
  };
  const found = (await examine(subject)).filter(({ name }) => name === "hooks");
  expect(found).toEqual([
    {
      name: "hooks",
      status: "fail",
      detail: "of yours are switched off by allowManagedHooksOnly, so /get finds no ticket and refuses",
      fix: `Ask the administrator, who manages ${managed}; until then say get, and approve.`,
    },
  ]);
  expect(placesOf("/h", systemOf("linux")).managedSettings).toEqual([
    "/etc/claude-code/managed-settings.json",
  ]);
});

// A shared memory folder is on a disk that is gone with the machine's next start; any odd disk is told alike.
test.skipIf(!existsSync("/dev/shm"))("an odd disk is told", async () => {
  const folder = join("/dev/shm", `relay-test-${crypto.randomUUID()}`);
  mkdirSync(folder, { mode: 0o700 });
  try {
    const found = await checkBuffer({ bufferPath: () => join(folder, "buffer.db") } as Subject);
    expect(found.map(({ name, status }) => [name, status])).toEqual([
      ["buffer", "ok"],
      ["disk", "warn"],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("--notify fails, with the fix, where nothing can show a notification", async () => {
  await using box = await wired();
  writeFileSync(join(box.programs, "notify-send"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  writeFileSync(join(box.programs, "busctl"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const { status, stdout } = await box.relay(["doctor", "--notify", "--json"]);
  const { checks } = JSON.parse(stdout);
  expect([status, checks.at(-1)]).toEqual([
    1,
    expect.objectContaining({ name: "notification", status: "fail" }),
  ]);
});

test.skipIf(!canNotify)("--notify shows a real one", async () => {
  await using box = await wired();
  const session = await desktopSession(box);
  const env = { ...session.env, RELAY_NOTIFY: "auto" };
  const { status, stdout } = await box.relay(["doctor", "--notify"], { env });
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(/^ok {4}notification +one was shown just now;/m),
  ]);
  expect(session.shown().map(({ summary }) => summary)).toEqual(["relay"]);
});

test.skipIf(!claude)(
  "what the real Claude Code registered is found, and starts",
  async () => {
    await using box = sandbox();
    symlinkSync(claude ?? "", join(box.programs, "claude"));
    symlinkSync(relayBinary, join(box.programs, "relay"));
    expect(await box.relay(["setup-code"])).toMatchObject({ status: 0, stderr: "" });
    const report = await doctor(box, { cwd: box.home });
    expect(wrong(report)).toEqual([]);
    expect(report.checks.map(({ name }) => name)).toContain("server of Code");
    await box.run(["claude", "mcp", "remove", "relay", "--scope", "user"]);
    expect(wrong(await doctor(box, { cwd: box.home }))).toContain(
      "fail server of Code: is not registered in Claude Code",
    );
  },
  60_000,
);
