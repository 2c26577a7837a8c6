// `relay doctor` names each problem with its fix, and changes nothing. design.md, "Command line".
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderFindings } from "../src/cli/doctor-report.ts";
import { checkBuffer } from "../src/doctor/buffer-check.ts";
import type { Finding, ListedFinding, Subject } from "../src/doctor/check.ts";
import { readConfiguration } from "../src/doctor/configuration.ts";
import { examine } from "../src/doctor/examine.ts";
import { placesOf } from "../src/platform/paths.ts";
import { commandFile } from "../src/setup/claude-code.ts";
import { wipe } from "./support/damage.ts";
import { openPatiently } from "./support/database.ts";
import { canNotify, desktopSession } from "./support/desktop-session.ts";
import { systemOf } from "./support/fake-system.ts";
import { relayBinary, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";
import { installFakeClaude, json, put, snapshot } from "./support/setup-box.ts";

const settings = ".claude/settings.json";
const desktop = ".config/Claude/claude_desktop_config.json";
const code = ".claude.json";
const server = "mcpServers.relay";

/** A home in which `relay setup` was run for both Claudes, with a buffer and an empty project. */
async function connected(): Promise<Sandbox> {
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

async function doctor(
  box: Sandbox,
  { args = [], ...options }: Parameters<Sandbox["relay"]>[1] & { args?: string[] } = {},
): Promise<Report> {
  const cwd = join(box.home, "project");
  const { status, stdout } = await box.relay(["doctor", "--json", ...args], { cwd, ...options });
  return { status, ...JSON.parse(stdout.replaceAll(box.home, "HOME").replaceAll(box.programs, "PROGRAMS")) };
}

/** The findings that are not ok, as one line each. */
function wrong({ checks }: Report): string[] {
  return checks
    .filter(({ status }) => status !== "ok")
    .map(({ status, name, detail }) => `${status} ${name}: ${detail}`);
}

type Change = (box: Sandbox) => unknown;

/** Sets a key of a JSON file below the home folder, or removes it (`undefined`). `HOME` in the value is that folder. */
function set(path: string, keys: string, value: unknown): Change {
  return (box) => {
    const file = json(box, path);
    const way = keys.split(".");
    const last = way.pop() ?? "";
    // biome-ignore lint/suspicious/noExplicitAny: a file of another program
    const parent = way.reduce((at: any, key) => at[key], file);
    if (value === undefined) delete parent[last];
    else parent[last] = JSON.parse(JSON.stringify(value).replaceAll("HOME", box.home));
    put(box, path, file);
  };
}

/** Writes a file below the home folder. */
function file(path: string, content: string | object): Change {
  return (box) => put(box, path, JSON.parse(JSON.stringify(content).replaceAll("HOME", box.home)), 0o755);
}

const mine = { RELAY_DB: "HOME/mine.db" };
const foreign = { command: "touch", args: ["HOME/started"] };
const original = { command: "uvx", args: ["mcp-server-relay"] };
const pluginFolder = ".claude/plugins/cache/relay/relay/0.1.0";
const bundle = { id: "local.mcpb.r.relay", manifest: { name: "relay", tools: [{ name: "relay_send" }] } };

const noHooks = "so /get finds no ticket and refuses";
const switchedOff = (scope: string) =>
  `fail hooks: are switched off by disableAllHooks in the ${scope} settings, ${noHooks}`;

/** The changes, and the findings then; `…` stands for any text. */
const troubles: Record<string, (Change | string)[]> = {
  "another relay before this one in PATH": [
    ({ programs }) => rmSync(join(programs, "relay")),
    ({ programs }) =>
      writeFileSync(join(programs, "relay"), `#!/bin/sh\nexec '${relayBinary}' "$@"\n`, { mode: 0o755 }),
    "warn PATH: a shell starts another relay: PROGRAMS/relay",
  ],
  "a buffer that others can read": [
    ({ buffer }) => chmodSync(buffer, 0o644),
    "warn buffer: others can read HOME/.relay_buffer.db",
  ],
  "a damaged buffer": [({ buffer }) => wipe(buffer, 2, 0xff), "fail buffer: HOME/.relay_buffer.db is damaged: …"],
  "a folder in its place": [
    ({ buffer }) => rmSync(buffer),
    ({ buffer }) => mkdirSync(buffer),
    "fail buffer: HOME/.relay_buffer.db is a folder, not a file…",
  ],
  "a Claude Code that does not ask its person": [
    (box) => installFakeClaude(box, "2.1.198"),
    "fail Claude Code: Claude Code 2.1.198 would let a model read…",
  ],
  "no server in Claude Code": [set(code, server, undefined), "fail server of Code: is not registered in Claude Code"],
  "no server in Claude Desktop": [
    set(desktop, server, undefined),
    `fail server of Desktop: is not registered in HOME/${desktop}`,
  ],
  "a server that is gone": [
    set(desktop, `${server}.command`, "/nowhere/relay"),
    "fail server of Desktop: /nowhere/relay --client desktop --db HOME/.relay_buffer.db does not start and answer: …ENOENT…",
  ],
  "a server with a variable that is not a string": [
    set(code, `${server}.env`, { RELAY_NOTIFY: false }),
    "fail server of Code: has an argument or a variable that is not a string, in HOME/.claude.json",
  ],
  "a server that does not start with these arguments": [
    set(code, `${server}.args`, ["--client", "code", "--sonud"]),
    "fail server of Code: …relay --client code --sonud does not start and answer: …unknown flag --sonud…",
  ],
  "a program that is not relay": [
    file("fake/relay", "#!/bin/sh\necho 'I am a shell script' >&2\nexit 3\n"),
    set(desktop, `${server}.command`, "HOME/fake/relay"),
    "fail server of Desktop: … does not start and answer: …I am a shell script",
  ],
  "another program's server of that name": [
    set(code, server, foreign),
    "fail server of Code: another program's server is called relay in HOME/.claude.json",
  ],
  "the Python server in relay's place": [
    set(desktop, server, original),
    `fail server of Desktop: is still the Python server, in HOME/${desktop}`,
  ],
  "the Python server beside it": [
    set(desktop, "mcpServers.old", original),
    `warn Python server: is still there: old in HOME/${desktop}`,
  ],
  "no hooks": [
    set(settings, "hooks", undefined),
    "fail hook UserPromptExpansion: is not in your settings; it answers /get and /send",
    "warn hook SessionStart: is not in your settings; it reports waiting messages",
  ],
  "no hook at the start": [
    set(settings, "hooks.SessionStart", undefined),
    "warn hook SessionStart: is not in your settings; it reports waiting messages",
  ],
  "a hook whose program is gone": [
    (box) => {
      const text = readFileSync(join(box.home, settings), "utf8");
      put(box, settings, text.replaceAll(join(box.programs, "relay"), "/nowhere/relay"));
    },
    "fail hook UserPromptExpansion: runs /nowhere/relay, which does not exist",
    "warn hook SessionStart: runs /nowhere/relay, which does not exist",
  ],
  "a status line of an older relay": [
    set(settings, "statusLine", { type: "command", command: "relay statusline" }),
    "warn status line: is in the form of an older relay, and shows nothing new while a session is idle",
  ],
  "a status line whose program is gone": [
    set(settings, "statusLine", { type: "command", command: "/nowhere/relay statusline --after=date" }),
    "warn status line: runs /nowhere/relay, which does not exist",
  ],
  "hooks switched off by the person": [set(settings, "disableAllHooks", true), switchedOff("user")],
  "hooks switched off for this checkout": [
    file("project/.claude/settings.local.json", { disableAllHooks: true }),
    switchedOff("project-local"),
  ],
  "inline commands switched off by the person": [
    set(settings, "disableSkillShellExecution", true),
    "fail inline commands: are switched off by disableSkillShellExecution in the user settings, so /get brings nothing",
  ],
  "nothing in hooks that are switched on again": [
    file("project/.claude/settings.json", { disableAllHooks: true }),
    file("project/.claude/settings.local.json", { disableAllHooks: false }),
  ],
  "a settings file that is a link to itself": [
    ({ home }) => rmSync(join(home, settings)),
    ({ home }) => symlinkSync("settings.json", join(home, settings)),
    `fail configuration: HOME/${settings} cannot be read: ELOOP`,
    "fail hook UserPromptExpansion: …",
    "warn hook SessionStart: …",
    "warn rules: …",
  ],
  "a comment, at which Claude Code ignores the file": [
    file("project/.claude/settings.local.json", '{\n  // quiet\n  "disableAllHooks": true\n}\n'),
    "fail configuration: HOME/project/.claude/settings.local.json is not valid JSON (line 2: invalid comment token)",
  ],
  "a byte order mark, at which Claude Desktop drops the servers": [
    (box) => put(box, desktop, `\uFEFF${readFileSync(join(box.home, desktop), "utf8")}`),
    `fail configuration: HOME/${desktop} begins with a byte order mark (line 1)…`,
    "fail server of Desktop: is not registered in Claude Desktop",
  ],
  "rules that are missing": [
    set(settings, "permissions", undefined),
    "warn rules: are missing from your settings: mcp__relay__relay_send, Read(~/.relay_files/**), Read(~/.relay_url), Read(~/.relay_buffer.db*)",
  ],
  "a sandbox": [
    ({ programs }) =>
      ["bwrap", "socat"].map((name) => writeFileSync(join(programs, name), "#!/bin/sh\n", { mode: 0o755 })),
    set(settings, "sandbox", { enabled: true }),
    "fail sandbox: is on, and keeps /get from the buffer",
  ],
  "a sandbox that cannot start": [
    ({ programs }) => writeFileSync(join(programs, "bwrap"), "#!/bin/sh\nexit 1\n", { mode: 0o755 }),
    ({ programs }) => writeFileSync(join(programs, "socat"), "#!/bin/sh\n", { mode: 0o755 }),
    set(settings, "sandbox", { enabled: true }),
    "fail sandbox: is on, but cannot run: bwrap ended with 1",
  ],
  "settings that are not JSON": [
    file(settings, "{ oops"),
    `fail configuration: HOME/${settings} is not valid JSON…`,
    "fail hook UserPromptExpansion: …",
    "warn hook SessionStart: …",
    "warn rules: …",
  ],
  "a skill of the person's in the command's place": [
    file(".claude/skills/get/SKILL.md", "my own"),
    "fail command: Claude Code runs your skill HOME/.claude/skills/get/SKILL.md in place of /get",
  ],
  "another command in its place": [
    file(".claude/commands/get.md", "Get milk."),
    "fail command: /get is not relay's, and there is no /relay",
  ],
  "a command whose program is gone": [
    file(".claude/commands/get.md", commandFile("/my (old)/it's/relay")),
    "fail command: /get runs /my (old)/it's/relay, which does not exist",
  ],
  "a command that was changed": [
    file(".claude/commands/get.md", commandFile(relayBinary).replace("description: ", "description: My ")),
    "warn command: /get is not as setup writes it",
  ],
  "a project's own command, skill and server": [
    file("project/.claude/commands/get.md", "x"),
    file("project/.claude/skills/get/SKILL.md", "x"),
    file("project/.mcp.json", { mcpServers: { relay: foreign } }),
    "warn project: Claude Code may run HOME/project/.claude/commands/get.md, which gets no ticket, in place of relay's command",
    "warn project: Claude Code may run HOME/project/.claude/skills/get/SKILL.md, which gets no ticket, in place of relay's command",
    "warn project: another server called relay, in HOME/project/.mcp.json, replaces yours here",
  ],
  "a project's server that would let a model send other files": [
    file("project/.mcp.json", {
      mcpServers: { relay: { command: "relay", args: ["--client", "code", "--allow-files", "/"] } },
    }),
    "warn project: another server called relay, in HOME/project/.mcp.json, replaces yours here",
  ],
  "a project's server with a wrong argument": [
    file("project/.mcp.json", { mcpServers: { relay: { command: "relay", args: [{}] } } }),
    "warn project: another server called relay, in HOME/project/.mcp.json, replaces yours here",
  ],
  "two buffers": [
    set(desktop, `${server}.args`, ["--client", "desktop", "--db", mine.RELAY_DB]),
    "fail same buffer: the Claudes use different buffers: Code HOME/.relay_buffer.db, /get HOME/.relay_buffer.db, Desktop HOME/mine.db",
  ],
  "nothing in a project that would move the buffer": [file(`project/${settings}`, { env: mine })],
  "an older installation, whose buffer this project moves": [
    file(`project/${settings}`, { env: mine }),
    set(code, `${server}.args`, ["--client", "code"]),
    file(".claude/commands/get.md", commandFile(relayBinary)),
    set(settings, "hooks.SessionStart.0.hooks.0", { command: relayBinary, args: ["hook", "session-start"] }),
    "warn hook SessionStart: is in the form of an older relay",
    "fail same buffer: the Claudes use different buffers: Code HOME/mine.db, /get HOME/mine.db, Desktop HOME/.relay_buffer.db",
  ],
  "the plugin beside the registration": [
    file(`${pluginFolder}/skills/get/SKILL.md`, commandFile(relayBinary)),
    file(".claude/plugins/installed_plugins.json", {
      version: 2,
      plugins: { "relay@relay": [{ scope: "user", installPath: `HOME/${pluginFolder}` }] },
    }),
    set(settings, "enabledPlugins", { "relay@relay": true }),
    "warn plugin: relay@relay is installed beside the registration, so Claude Code has everything twice",
  ],
  "the bundle beside the registration": [
    file(".config/Claude/extensions-installations.json", { extensions: { [bundle.id]: bundle } }),
    `warn bundle: ${bundle.id} is installed beside the registration, so Claude Desktop has every tool twice`,
  ],
};

describe("after relay setup", () => {
  test("everything works, for people and for programs, and nothing is changed by looking", async () => {
    await using box = await connected();
    const before = snapshot(box.home);
    const report = await doctor(box);
    expect(wrong(report)).toEqual([]);
    expect(report).toMatchObject({ status: 0, ok: true });
    const { version } = await Bun.file(join(import.meta.dir, "../package.json")).json();
    expect(Object.fromEntries(report.checks.map(({ name, detail }) => [name, detail]))).toEqual({
      relay: `${version}, PROGRAMS/relay`,
      buffer: expect.stringContaining(": 1 of 20 messages, 0 unread for Desktop, 1 unread for Code"),
      "Claude Code": "2.1.330, PROGRAMS/claude",
      "server of Code": "starts and answers: PROGRAMS/relay --client code --db HOME/.relay_buffer.db",
      "hook UserPromptExpansion": "runs PROGRAMS/relay",
      "hook SessionStart": "runs PROGRAMS/relay",
      rules: "the model may send and read messages' files, and may not read the buffer's file",
      command: "/get runs PROGRAMS/relay",
      "command send": "/send runs PROGRAMS/relay",
      "/get": expect.stringMatching(/^works in Claude Code in a terminal, .* in VS Code's extension .* say get$/),
      "server of Desktop": "starts and answers: PROGRAMS/relay --client desktop --db HOME/.relay_buffer.db",
      "files of Desktop": "its model may send none; relay setup-desktop --allow-files DIR allows a folder",
      "status line": "there is none; relay setup --statusline adds one, with what waits",
      "same buffer": "every Claude here uses HOME/.relay_buffer.db",
      notification: "not tried; relay doctor --notify shows one",
    });
    const place = `HOME/.relay_buffer.db, mode 0600, uid ${process.getuid?.()}, schema `;
    expect(report.checks.find(({ name }) => name === "buffer")?.detail).toStartWith(place);
    const { status, stdout, stderr } = await box.relay(["doctor"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^ {2}✓ buffer: \//m);
    const unchecked = stdout.split("\n").filter((line) => line.startsWith("  – "));
    expect(unchecked.map((line) => line.split(":")[0])).toEqual([
      "  – status line",
      "  – files of Desktop",
      "  – notification",
    ]);
    expect(stdout).toEndWith("\n\nEverything works.\n");
    const headings = stdout.split("\n").filter((line) => /^\S/.test(line));
    expect(headings).toEqual(["This machine", "Claude Code", "Claude Desktop", "Notifications", "Everything works."]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test("a problem stands with its fix, and the status is 1, until setup is run again", async () => {
    await using box = await connected();
    rmSync(join(box.home, ".claude/commands/get.md"));
    const { status, stdout, stderr } = await box.relay(["doctor"]);
    expect([status, stderr]).toEqual([1, "relay: 1 problem found; see the fix above\n"]);
    expect(stdout).toMatch(/^ {2}! command: there is no command \/get\n {4}Run: relay setup-code$/m);
    set(desktop, server, undefined)(box);
    expect((await box.relay(["doctor"])).stderr).toBe("relay: 2 problems found; see the fixes above\n");
    await box.relay(["setup"]);
    expect((await box.relay(["doctor"])).status).toBe(0);
  });
});

describe("it finds", () => {
  test.each(Object.entries(troubles))("%s", async (_name, steps) => {
    await using box = await connected();
    for (const step of steps) if (typeof step === "function") step(box);
    const findings = steps.filter((step) => typeof step === "string");
    const before = snapshot(box.home);
    const report = await doctor(box);
    const pattern = (finding: string) => new RegExp(`^${finding.split("…").map(RegExp.escape).join(".*")}$`, "s");
    expect(wrong(report)).toEqual(findings.map((finding) => expect.stringMatching(pattern(finding))));
    const isOff = findings.some((finding) => finding.includes("are switched off"));
    if (isOff) expect(report.checks.map(({ name }) => name)).not.toContain("/get");
    const isFailing = findings.some((finding) => finding.startsWith("fail "));
    expect(report).toMatchObject({ ok: !isFailing, status: isFailing ? 1 : 0 });
    for (const { status, fix } of report.checks) expect(fix === null).toBe(status === "ok");
    expect(snapshot(box.home)).toEqual(before);
    expect(existsSync(join(box.home, "started"))).toBe(false);
  });

  test("a server of the project that the person rejected", async () => {
    await using box = await connected();
    const status = "✘ Rejected (see disabledMcpjsonServers in settings)"; // as 2.1.330 prints it
    const script = `#!/bin/sh\n[ "$1" = mcp ] && echo "  Status: ${status}" || echo 2.1.330\n`;
    writeFileSync(join(box.programs, "claude"), script);
    const found = (await doctor(box)).checks.find(({ detail }) => detail === `Claude Code says: ${status}`);
    expect(found).toMatchObject({ status: "fail", fix: "Take relay out of that list." });
  });

  test("a RELAY_DB of this shell alone", async () => {
    await using box = await connected();
    const report = await doctor(box, { env: { RELAY_DB: join(box.home, "mine.db") } });
    expect(wrong(report)).toEqual([
      "warn same buffer: every Claude here uses HOME/.relay_buffer.db, and RELAY_DB here is HOME/mine.db",
    ]);
    const relative = await doctor(box, { env: { RELAY_DB: "relative" } });
    expect(wrong(relative)).toEqual([
      'fail buffer: RELAY_DB is "relative", which is neither an absolute path nor a postgres:// URL',
    ]);
  });

  test("nothing after a setup with a RELAY_DB of the person's own", async () => {
    await using box = await connected();
    const env = { RELAY_DB: join(box.home, "my (own).db") };
    expect(await box.relay(["setup"], { env })).toMatchObject({ status: 0 });
    expect(wrong(await doctor(box, { env }))).toEqual([]);
  });

  test("nothing in a folder where pipes and folders lie in place of files", async () => {
    await using box = await connected();
    mkdirSync(join(box.home, "project/.claude/settings.json"), { recursive: true });
    await box.run(["mkfifo", "project/.mcp.json", "project/.claude/settings.local.json"]);
    expect(wrong(await doctor(box))).toEqual([]);
  });

  test("without either Claude, only that", async () => {
    await using box = sandbox();
    symlinkSync(relayBinary, join(box.programs, "relay"));
    const report = await doctor(box, { cwd: box.home });
    expect(report.status).toBe(0);
    expect(wrong(report)).toEqual([
      "warn Claude Code: is not installed: no claude in PATH or ~/.local/bin",
      "warn Claude Desktop: is not installed: there is no folder of its own",
    ]);
    expect(report.checks.find(({ name }) => name === "buffer")?.detail).toContain("does not exist yet");
  });

  test("a file of garbage, and its fix works in any shell", async () => {
    await using box = await connected();
    const path = put(box, "my garbage", "no database", 0o600);
    const { checks } = await doctor(box, { args: ["--db", path] });
    const { detail, fix } = checks.find(({ name }) => name === "buffer") ?? {};
    expect(detail).toBe("HOME/my garbage is damaged: SQLite cannot read it");
    const command = fix?.replace("Run: relay", relayBinary).replace("HOME", box.home) ?? "";
    expect((await box.run(["sh", "-c", command])).status).toBe(0);
    expect(wrong(await doctor(box, { args: ["--db", path] }))).toEqual([expect.stringMatching(/^warn same buffer: /)]);
  });

  test("a buffer of the original's, and one of a newer relay", async () => {
    await using box = await connected();
    rmSync(box.buffer);
    using db = openPatiently(box.buffer);
    db.run("CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT, message TEXT, timestamp TEXT)");
    chmodSync(box.buffer, 0o600);
    const [found] = (await doctor(box)).checks.filter(({ name }) => name === "buffer");
    expect(found?.status).toBe("ok");
    expect(found?.detail).toContain("made by an older relay or the Python server");
    db.run("PRAGMA user_version = 2000");
    expect(wrong(await doctor(box))).toEqual([expect.stringMatching(/^fail buffer: .* was written by a newer relay/)]);
  });
});

test("an administrator's settings count, in the place that the system has for them", async () => {
  await using box = await connected();
  const managed = put(box, "managed.json", { allowManagedHooksOnly: true });
  const system = systemOf("linux");
  const dropIn = put(box, "10-managed.json", { allowManagedHooksOnly: false });
  const hooksFinding = async (managedSettings: string[]) => {
    const places = { ...placesOf(box.home, system), managedSettings };
    const subject: Subject = {
      context: { system, places, executable: relayBinary, folder: box.home, buffer: null },
      configuration: readConfiguration(places, box.home),
      version: "1",
      bufferPath: () => box.buffer,
      database: () => null,
      probe: async () => ({ version: "1", tools: ["relay_send"] }),
      notifier: null,
    };
    return (await examine(subject)).find(({ name }) => name === "hooks");
  };
  expect(await hooksFinding([dropIn, managed])).toBeUndefined();
  expect(await hooksFinding([managed, dropIn])).toEqual({
    name: "hooks",
    section: "Claude Code",
    status: "fail",
    detail: `are switched off by allowManagedHooksOnly in the managed settings, ${noHooks}`,
    fix: `Only the administrator of this machine can change that. It is in ${managed}; until then say get, and approve.`,
  });
  expect(placesOf("/h", system).managedSettings).toEqual(["/etc/claude-code/managed-settings.json"]);
});

// A shared memory folder is empty after the machine's next start; every odd disk is reported like it.
test.skipIf(!existsSync("/dev/shm"))("an odd disk is reported", async () => {
  const folder = join("/dev/shm", `relay-test-${crypto.randomUUID()}`);
  mkdirSync(folder, { mode: 0o700 });
  try {
    const found = checkBuffer({ bufferPath: () => join(folder, "buffer.db") });
    const statuses = found.map(({ name, status }) => `${name} ${status}`);
    expect(statuses).toEqual(["buffer ok", "disk warn"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("on a terminal the status is colored, and control characters of names are not passed on", () => {
  const detail = "a\u001b[31mb\nc";
  const finding: ListedFinding = { section: "Claude Code", name: "x", status: "warn", detail, fix: "Do it." };
  const rendered = (isTerminal: boolean) => {
    const environment = { terminal: { stdout: isTerminal }, screen: () => ({ columns: 10, rows: 5 }) };
    const style = (_: string, name: string, text: string) => (isTerminal ? `<${name}>${text}</>` : text);
    return renderFindings([finding], { environment, style } as never);
  };
  const last = "Nothing is broken; see the 1 note marked ! above.";
  expect(rendered(false)).toBe(`Claude Code\n  ! x: ab c\n    Do it.\n\n${last}`);
  expect(rendered(true)).toStartWith("<bold>Claude Code</>\n  <yellow>!</> x: ab\n    c\n    Do it.\n\nNothing is\n");
});

test("--notify fails, with the fix, where nothing can show a notification", async () => {
  await using box = await connected();
  for (const name of ["notify-send", "busctl"])
    writeFileSync(join(box.programs, name), "#!/bin/sh\necho 'no bus' >&2; exit 1\n", { mode: 0o755 });
  const { status, checks } = await doctor(box, { args: ["--notify"], env: { BUN_OPTIONS: "--smol" } });
  expect(status).toBe(1);
  const detail = expect.stringMatching(/^none could be shown: .*\/notify-send ended with 1: \w/) as never;
  expect(checks.at(-1)).toMatchObject({ name: "notification", status: "fail", detail });
  expect(checks).toContainEqual(expect.objectContaining({ name: "environment", status: "warn" }));
});

test.skipIf(!canNotify)("--notify shows a real one", async () => {
  await using box = await connected();
  const session = await desktopSession(box);
  const env = { ...session.env, RELAY_NOTIFY: "auto" };
  const { status, stdout } = await box.relay(["doctor", "--notify"], { env });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^Notifications\n {2}✓ notification: one was shown just now;/m);
  expect(session.shown().map(({ summary }) => summary)).toEqual(["relay"]);
});
