// "One command in, one command out": design.md, promise 4, with the binary and a stand-in for Claude Code's program.
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { commandFile, hookEntries } from "../src/setup/claude-code.ts";
import { canNotify, desktopSession } from "./support/desktop-session.ts";
import { get, relayBinary, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";
import { copyBinary, installFakeClaude, json, put, snapshot } from "./support/setup.ts";

const settingsPath = ".claude/settings.json";
const desktopPath = ".config/Claude/claude_desktop_config.json";
const server = { type: "stdio", command: relayBinary, args: ["--client", "code"] };
const desktopServer = { command: relayBinary, args: ["--client", "desktop"] };
const hooks = Object.fromEntries(
  Object.entries(hookEntries(relayBinary, false)).map(([event, entry]) => [event, [entry]]),
);
const settings = {
  hooks,
  permissions: { allow: ["mcp__relay__relay_send"], deny: ["Read(~/.relay_buffer.db*)"] },
};

async function expectDone(box: Sandbox, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { status, stdout, stderr } = await box.relay(args, { env });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

/** The command fails with this sentence, and nothing at all was written. */
async function expectRefused(
  box: Sandbox,
  args: string[],
  sentence: string | RegExp,
  env: Record<string, string> = {},
) {
  const before = snapshot(box.home);
  const { status, stdout, stderr } = await box.relay(args, { env });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(sentence);
  expect(stderr.trimEnd().split("\n").length).toBe(1);
  expect(snapshot(box.home)).toEqual(before);
}

describe("setup-code in an empty home", () => {
  test("registers the server, the command, the hooks and the rules, and says so", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const said = await expectDone(box, ["setup-code"]);
    expect(json(box, ".claude.json")).toEqual({ mcpServers: { relay: server } });
    expect(json(box, settingsPath)).toEqual(settings);
    expect(readFileSync(join(box.home, ".claude/commands/get.md"), "utf8")).toBe(commandFile(relayBinary));
    for (const path of [".claude.json", settingsPath, ".claude/commands/get.md"].slice(1))
      expect(said).toContain(path);
    expect(said).toContain("mcp add-json relay");
    expect(said).toContain("relay: next: ");
    for (const path of [settingsPath, ".claude/commands/get.md", ".relay_install.json"]) {
      expect(statSync(join(box.home, path)).mode & 0o777).toBe(0o600);
    }
  });

  test("a second run changes nothing, and uninstall leaves nothing", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const empty = snapshot(box.home);
    await expectDone(box, ["setup-code"]);
    const after = snapshot(box.home, ["claude-calls"]);
    expect(await expectDone(box, ["setup-code"])).toBe(
      "relay: nothing to change: everything is as it should be.\n",
    );
    expect(snapshot(box.home, ["claude-calls"])).toEqual(after);
    await expectDone(box, ["uninstall"]);
    expect(json(box, ".claude.json")).toEqual({ mcpServers: {} });
    expect(snapshot(box.home)).toEqual(empty);
    expect(await expectDone(box, ["uninstall"])).toBe(
      "relay: nothing to change: everything is as it should be.\n",
    );
  });

  test("--setup-code, the original's flag, does the same", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    await expectDone(box, ["--setup-code"]);
    expect(json(box, settingsPath)).toEqual(settings);
  });

  test("--dry-run shows each change and the command, and makes none", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, settingsPath, { model: "opus" });
    const before = snapshot(box.home);
    const said = await expectDone(box, ["setup-code", "--dry-run"]);
    expect(said).toContain("mcp add-json relay");
    expect(said).toContain('\n-  "model": "opus"\n');
    expect(said).toContain('\n+  "model": "opus",\n');
    expect(said).toContain('\n+      "Read(~/.relay_buffer.db*)"\n');
    expect(said).toContain("relay: nothing was changed: this was a dry run.\n");
    expect(snapshot(box.home)).toEqual(before);
    expect(existsSync(join(box.home, ".claude.json"))).toBe(false);
  });

  test("--json tells the same to programs", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const told = JSON.parse(await expectDone(box, ["setup-code", "--json"]));
    expect(told).toMatchObject({ ok: true, changed: true, dry_run: false, warnings: [] });
    expect(
      told.steps.map(
        ({ path, command }: { path?: string; command?: string[] }) => path ?? command?.slice(1, 4).join(" "),
      ),
    ).toEqual([
      "mcp add-json relay",
      join(box.home, settingsPath),
      join(box.home, ".claude/commands/get.md"),
    ]);
    expect(JSON.parse(await expectDone(box, ["setup-code", "--json"]))).toMatchObject({
      changed: false,
      steps: [],
    });
  });
});

describe("setup-code refuses, and writes nothing,", () => {
  test.each<[string, (box: Sandbox) => void, RegExp]>([
    [
      "without Claude Code",
      (box) => rmSync(join(box.programs, "claude")),
      /^relay: Claude Code is not here: .* Install it, and run this again\.\n$/,
    ],
    [
      "below the first version that asks",
      (box) => installFakeClaude(box, "2.1.198"),
      /Claude Code 2\.1\.198 would let a model read .* 2\.1\.199 or newer\. Run: claude update\n$/,
    ],
    ["a version that is none", (box) => installFakeClaude(box, "nonsense"), /does not answer with a version/],
    [
      "settings that are no JSON",
      (box) => void put(box, settingsPath, '{\n  "model": "opus",\n  "hooks": {]\n}\n'),
      /settings\.json is not valid JSON \(line 3: \w+\)\. It was left alone; fix it, and run this again\.\n$/,
    ],
    [
      "settings that are no text",
      (box) => void put(box, settingsPath, Buffer.from('{"a": "\u00e4"}', "utf16le")),
      /settings\.json is not (valid JSON|UTF-8 text)/,
    ],
    [
      "settings whose hooks are no object",
      (box) => void put(box, settingsPath, { hooks: "none" }),
      /"hooks" in .*settings\.json is not an object\./,
    ],
    [
      "settings whose rules are no array",
      (box) => void put(box, settingsPath, { permissions: { deny: {} } }),
      /"permissions\.deny" in .*settings\.json is not an array\./,
    ],
    [
      "a server of somebody else's of that name",
      (box) => void put(box, ".claude.json", { mcpServers: { relay: { command: "/opt/other", args: [] } } }),
      /another server by the name of relay\. Rename that one/,
    ],
    [
      "two commands of somebody else's",
      (box) => ["get", "relay"].forEach((name) => void put(box, `.claude/commands/${name}.md`, "mine")),
      /both \/get and \/relay are commands or skills of somebody else's/,
    ],
    [
      "a damaged record",
      (box) => void put(box, ".relay_install.json", "{"),
      /\.relay_install\.json, the record of what relay set up, is damaged/,
    ],
    [
      "a folder where a file should be",
      (box) => void mkdirSync(join(box.home, settingsPath), { recursive: true }),
      /settings\.json is not a regular file\. Move it away/,
    ],
  ])("%s", async (_name, prepare, sentence) => {
    await using box = sandbox();
    installFakeClaude(box);
    prepare(box);
    await expectRefused(box, ["setup-code"], sentence);
    expect(existsSync(join(box.home, ".claude.json"))).toBe(_name.startsWith("a server"));
  });

  test("and runs no claude that the working directory could decide", async () => {
    await using box = sandbox();
    const project = join(box.home, "project");
    mkdirSync(project);
    writeFileSync(join(project, "claude"), "#!/bin/sh\ntouch pwned\n", { mode: 0o755 });
    const env = { ...box.env, PATH: `.:${project}::${box.env.PATH}` };
    const { status, stderr } = await box.run([relayBinary, "setup-code"], { env, cwd: project });
    expect([status, stderr]).toEqual([1, expect.stringContaining("Claude Code is not here")]);
    expect(existsSync(join(project, "pwned"))).toBe(false);
  });
});

describe("what others have in Claude Code stays", () => {
  const others = {
    model: "opus",
    hooks: {
      SessionStart: [{ hooks: [{ type: "command", command: "echo hello" }] }],
      UserPromptExpansion: [{ matcher: "other", hooks: [{ type: "command", command: "echo other" }] }],
    },
    permissions: { allow: ["Bash(ls)"], deny: ["Read(./.env)"], ask: ["WebFetch"] },
  };

  test("beside what relay adds, and alone again after uninstall", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, settingsPath, others);
    const before = snapshot(box.home);
    await expectDone(box, ["setup-code"]);
    expect(json(box, settingsPath)).toEqual({
      ...others,
      hooks: {
        SessionStart: [...others.hooks.SessionStart, ...(hooks.SessionStart ?? [])],
        UserPromptExpansion: [...others.hooks.UserPromptExpansion, ...(hooks.UserPromptExpansion ?? [])],
      },
      permissions: {
        allow: ["Bash(ls)", "mcp__relay__relay_send"],
        deny: ["Read(./.env)", "Read(~/.relay_buffer.db*)"],
        ask: ["WebFetch"],
      },
    });
    await expectDone(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test("also in a file that was changed since: only what relay put in goes", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, settingsPath, { permissions: { allow: ["mcp__relay__relay_send"] } });
    await expectDone(box, ["setup-code"]);
    const changed = json(box, settingsPath);
    changed.hooks.SessionStart[0].hooks.push({ type: "command", command: "echo mine" });
    changed.theme = "dark";
    put(box, settingsPath, changed);
    await expectDone(box, ["uninstall"]);
    // the rule that was there before relay came is not relay's to take
    expect(json(box, settingsPath)).toEqual({
      permissions: { allow: ["mcp__relay__relay_send"] },
      hooks: { SessionStart: [{ hooks: [{ type: "command", command: "echo mine" }] }] },
      theme: "dark",
    });
    expect(existsSync(join(box.home, ".relay_install.json"))).toBe(false);
  });

  test("without the record, too: relay's part is known by its looks", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, settingsPath, others);
    await expectDone(box, ["setup-code", "--statusline"]);
    rmSync(join(box.home, ".relay_install.json"));
    await expectDone(box, ["uninstall"]);
    expect(json(box, settingsPath)).toEqual(others);
    expect(existsSync(join(box.home, ".claude/commands/get.md"))).toBe(false);
  });

  test("a link to settings stays a link, and mode, byte order mark and line ends stay", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const file = put(
      box,
      "dotfiles/claude.json",
      '\uFEFF{\r\n\t"model": "opus" // the good one\r\n}\r\n',
      0o640,
    );
    chmodSync(file, 0o640);
    mkdirSync(join(box.home, ".claude"));
    symlinkSync("../dotfiles/claude.json", join(box.home, settingsPath));
    const before = snapshot(box.home);
    await expectDone(box, ["setup-code"]);
    const text = readFileSync(file, "utf8");
    expect(text).toStartWith(
      '\uFEFF{\r\n\t"model": "opus", // the good one\r\n\t"hooks": {\r\n\t\t"UserPromptExpansion": [\r\n',
    );
    expect(text.replaceAll("\r\n", "")).not.toContain("\n");
    expect(statSync(file).mode & 0o777).toBe(0o640);
    await expectDone(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test.each<[string, string]>([
    ["command", ".claude/commands/get.md"],
    ["skill", ".claude/skills/get/SKILL.md"],
  ])("somebody's own get, a %s, makes ours /relay", async (_kind, path) => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, path, "my own get");
    const before = snapshot(box.home);
    expect(await expectDone(box, ["setup-code"])).toContain("Then type /relay there.");
    expect(readFileSync(join(box.home, path), "utf8")).toBe("my own get");
    expect(readFileSync(join(box.home, ".claude/commands/relay.md"), "utf8")).toBe(commandFile(relayBinary));
    expect(await expectDone(box, ["setup-code"])).toContain("nothing to change");
    await expectDone(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test("once somebody's own get is gone, ours is /get again, and nothing else", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const own = put(box, ".claude/commands/get.md", "my own get");
    await expectDone(box, ["setup-code"]);
    rmSync(own);
    await expectDone(box, ["setup-code"]);
    expect(readFileSync(own, "utf8")).toBe(commandFile(relayBinary));
    expect(existsSync(join(box.home, ".claude/commands/relay.md"))).toBe(false);
  });

  test("a command file that somebody made their own stays at uninstall", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    await expectDone(box, ["setup-code"]);
    const path = put(box, ".claude/commands/get.md", "all mine now");
    await expectDone(box, ["uninstall"]);
    expect(readFileSync(path, "utf8")).toBe("all mine now");
  });
});

describe("options of Claude Code", () => {
  test("the sandbox, where it is on, lets the exact command out", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, settingsPath, { sandbox: { enabled: true, excludedCommands: ["docker *"] } });
    await expectDone(box, ["setup-code"]);
    expect(json(box, settingsPath).sandbox.excludedCommands).toEqual(["docker *", `${relayBinary} typed`]);
  });

  test("the status line is added when asked for, and never over somebody else's", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    await expectDone(box, ["setup-code"]);
    expect(json(box, settingsPath).statusLine).toBeUndefined();
    await expectDone(box, ["setup-code", "--statusline"]);
    expect(json(box, settingsPath).statusLine).toEqual({
      type: "command",
      command: `${relayBinary} statusline`,
    });
    expect(await expectDone(box, ["setup-code"])).toContain("nothing to change");
    const own = { type: "command", command: "date" };
    put(box, settingsPath, { statusLine: own });
    await expectDone(box, ["setup-code", "--statusline"]);
    expect(json(box, settingsPath).statusLine).toEqual(own);
  });

  test("CLAUDE_CONFIG_DIR is where everything goes", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const env = { CLAUDE_CONFIG_DIR: join(box.home, "my claude") };
    await expectDone(box, ["setup-code"], env);
    expect(json(box, "my claude/settings.json")).toEqual(settings);
    expect(json(box, "my claude/.claude.json").mcpServers.relay).toEqual(server);
    expect(existsSync(join(box.home, ".claude"))).toBe(false);
    await expectDone(box, ["uninstall"], env);
    expect(Object.keys(snapshot(box.home)).sort()).toEqual([".", "./my claude"]);
  });

  test("RELAY_DB goes into the registrations and the settings, and the rule names that file", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
    const env = { RELAY_DB: join(box.home, "elsewhere.db") };
    await expectDone(box, ["setup"], env);
    expect(json(box, ".claude.json").mcpServers.relay).toEqual({ ...server, env });
    expect(json(box, desktopPath).mcpServers.relay).toEqual({ ...desktopServer, env });
    expect(json(box, settingsPath).env).toEqual(env);
    expect(json(box, settingsPath).permissions.deny).toEqual([`Read(/${env.RELAY_DB}*)`]);
    expect(await expectDone(box, ["setup"], env)).toContain("nothing to change");
    // a later setup without it moves nobody away from what waits there
    expect(await expectDone(box, ["setup"])).toContain("nothing to change");
    const other = { RELAY_DB: join(box.home, "other.db") };
    await expectDone(box, ["setup"], other);
    expect(json(box, settingsPath).env).toEqual(other);
    expect(json(box, settingsPath).permissions.deny).toEqual([`Read(/${other.RELAY_DB}*)`]);
    expect(json(box, desktopPath).mcpServers.relay.env).toEqual(other);
    await box.relay(["send", "--to", "code", "x"], { env: other });
    expect((await box.relay(["uninstall", "--purge", "--yes"])).stderr).toBe(
      "relay: deleted 1, of which 1 unread.\n",
    );
    expect(existsSync(join(box.home, settingsPath))).toBe(false);
  });

  test("two sides with different buffers are refused until RELAY_DB says which", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, settingsPath, { env: { RELAY_DB: "/one.db" } });
    put(box, desktopPath, { mcpServers: { relay: { ...desktopServer, env: { RELAY_DB: "/two.db" } } } });
    await expectRefused(
      box,
      ["setup"],
      /set up with different buffers, \/one\.db and \/two\.db\. Set RELAY_DB/,
    );
    await expectDone(box, ["setup"], { RELAY_DB: "/one.db" });
    expect(json(box, desktopPath).mcpServers.relay.env).toEqual({ RELAY_DB: "/one.db" });
  });

  test("a RELAY_DB that the person's settings set otherwise is refused", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, settingsPath, { env: { RELAY_DB: "/one.db" } });
    await expectRefused(
      box,
      ["setup-code"],
      /sets RELAY_DB to "\/one\.db", and here it is "\/two\.db"\. Make the two the same/,
      { RELAY_DB: "/two.db" },
    );
    await expectDone(box, ["setup-code"]);
    expect(json(box, ".claude.json").mcpServers.relay.env).toEqual({ RELAY_DB: "/one.db" });
  });

  test("--scope project registers plain relay in this folder's .mcp.json, beside others", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    symlinkSync(relayBinary, join(box.programs, "relay"));
    const project = join(box.home, "project");
    const other = { command: "other" };
    const path = put(box, "project/.mcp.json", { mcpServers: { other } });
    const before = readFileSync(path, "utf8");
    const { status, stderr } = await box.run([relayBinary, "setup-code", "--scope", "project"], {
      cwd: project,
    });
    expect([status, stderr]).toEqual([0, ""]);
    expect(json(box, "project/.mcp.json").mcpServers).toEqual({
      other,
      relay: { ...server, command: "relay" },
    });
    expect(existsSync(join(box.home, ".claude.json"))).toBe(false);
    await expectDone(box, ["uninstall"]);
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  test("--scope project leaves a .mcp.json alone that leads out of the folder", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, "precious.json", {});
    mkdirSync(join(box.home, "project"));
    symlinkSync("../precious.json", join(box.home, "project/.mcp.json"));
    const { status, stderr } = await box.run([relayBinary, "setup-code", "--scope", "project"], {
      cwd: join(box.home, "project"),
    });
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining("is a link, which may lead out of this project"),
    ]);
    expect(json(box, "precious.json")).toEqual({});
  });
});

describe("the path that is registered", () => {
  test.each([["a b"], ["it's"], ["x (86)"], ["ünï"]])("works in a folder called %j", async (name) => {
    await using box = sandbox();
    installFakeClaude(box);
    const program = copyBinary(relayBinary, join(box.home, name, "relay"));
    const { status, stderr } = await box.run([program, "setup-code"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(json(box, ".claude.json").mcpServers.relay.command).toBe(program);
    const [
      {
        hooks: [hook],
      },
    ] = json(box, settingsPath).hooks.SessionStart;
    await sendAll(box, "code", ["hello"]);
    expect((await box.run([hook.command, ...hook.args])).stdout).toContain("relay: 1 message from Desktop.");
    const slot = /!`(.*)`/.exec(readFileSync(join(box.home, ".claude/commands/get.md"), "utf8"))?.[1] ?? "";
    expect((await box.run(["/bin/sh", "-c", slot])).stderr).toContain("nobody typed /get here");
  });

  test("is the first one in PATH that leads to this binary", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const cellar = copyBinary(relayBinary, join(box.home, "cellar/1.0/relay"));
    mkdirSync(join(box.home, "bin"));
    symlinkSync(cellar, join(box.home, "bin/relay"));
    const env = { PATH: `${join(box.home, "bin")}:${box.env.PATH}` };
    await box.run([cellar, "setup-code"], { env });
    expect(json(box, ".claude.json").mcpServers.relay.command).toBe(join(box.home, "bin/relay"));
  });

  test("changes everywhere when the program moved, and stands there once", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
    const before = snapshot(box.home);
    const old = copyBinary(relayBinary, join(box.home, "old/relay"));
    put(box, settingsPath, { sandbox: { enabled: true } });
    const start = readFileSync(join(box.home, settingsPath), "utf8");
    await box.run([old, "setup", "--statusline"]);
    rmSync(join(box.home, "old"), { recursive: true });
    await expectDone(box, ["setup"]);
    const all = [settingsPath, desktopPath, ".claude/commands/get.md", ".claude.json"]
      .map((path) => readFileSync(join(box.home, path), "utf8"))
      .join("");
    expect(all).not.toContain("/old/relay");
    expect(json(box, settingsPath)).toEqual({
      sandbox: { enabled: true, excludedCommands: [`${relayBinary} typed`] },
      ...settings,
      statusLine: { type: "command", command: `${relayBinary} statusline` },
    });
    await expectDone(box, ["uninstall"]);
    expect(readFileSync(join(box.home, settingsPath), "utf8")).toBe(start);
    rmSync(join(box.home, ".claude"), { recursive: true });
    expect(snapshot(box.home)).toEqual(before);
  });

  test("whose binary is gone: its hooks are silent", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const program = copyBinary(relayBinary, join(box.home, "gone/relay"));
    await box.run([program, "setup-code"]);
    rmSync(program);
    for (const [
      {
        hooks: [hook],
      },
    ] of Object.values(json(box, settingsPath).hooks) as never as [
      { hooks: [{ command: string; args: string[] }] },
    ][]) {
      expect(await box.run([hook.command, ...hook.args])).toEqual({ status: 0, stdout: "", stderr: "" });
    }
  });
});

describe("setup-desktop", () => {
  test("makes the usual configuration if there is none, and takes it away again", async () => {
    await using box = sandbox();
    const said = await expectDone(box, ["setup-desktop"]);
    expect(json(box, desktopPath)).toEqual({ mcpServers: { relay: desktopServer } });
    expect(said).toContain("Quit Claude Desktop and start it again.");
    expect(said).toContain("when I say get, call relay_fetch");
    expect(await expectDone(box, ["setup-desktop"])).toContain("nothing to change");
    await expectDone(box, ["uninstall"]);
    expect(Object.keys(snapshot(box.home))).toEqual(["."]);
  });

  test("adds to one that is there, and keeps what a person added to relay's own entry", async () => {
    await using box = sandbox();
    const other = { command: "npx", args: ["-y", "other"] };
    put(box, desktopPath, { mcpServers: { other }, globalShortcut: "" });
    const before = snapshot(box.home);
    await expectDone(box, ["setup-desktop"]);
    expect(json(box, desktopPath)).toEqual({
      mcpServers: { other, relay: desktopServer },
      globalShortcut: "",
    });
    const own = {
      command: "/old/relay",
      args: ["--client", "desktop", "--sound", "off"],
      env: { RELAY_NOTIFY: "off" },
    };
    put(box, desktopPath, { mcpServers: { other, relay: own }, globalShortcut: "" });
    await expectDone(box, ["setup-desktop"]);
    expect(json(box, desktopPath).mcpServers.relay).toEqual({ ...own, command: relayBinary });
    await expectDone(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test.each([
    ["no JSON", "{", /is not valid JSON/],
    [
      "somebody else's relay",
      '{"mcpServers": {"relay": {"command": "other"}}}',
      /another server by the name of relay/,
    ],
  ])("leaves a configuration alone that has %s", async (_name, text, sentence) => {
    await using box = sandbox();
    put(box, desktopPath, text);
    await expectRefused(box, ["setup-desktop"], sentence);
  });

  // among processes of its own: a Claude Desktop may run on this machine
  const apart = ["unshare", "-r", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"];
  const canBeApart = Bun.which("unshare") !== null && Bun.spawnSync([...apart, "exit 0"]).exitCode === 0;

  test.skipIf(!canBeApart)("warns while Claude Desktop runs", async () => {
    await using box = sandbox();
    symlinkSync("/bin/cat", join(box.programs, "claude-desktop"));
    const said = (script: string) => {
      const argv = [...apart, script, relayBinary, join(box.programs, "claude-desktop")];
      const { exitCode, stdout, stderr } = Bun.spawnSync(argv, {
        env: box.env,
        cwd: box.home,
        timeout: 20_000,
      });
      expect([exitCode, stderr.toString()]).toEqual([0, ""]);
      return stdout.toString();
    };
    // the fifo opens once cat, run by that name, reads it
    const running = said('mkfifo fifo && { "$1" fifo & } && exec 3>fifo && "$0" setup-desktop');
    expect(running).toContain("relay: warning: Claude Desktop is running");
    const after = said('"$0" setup-desktop');
    expect(after).toContain("relay: nothing to change");
    expect(after).not.toContain("warning");
  });
});

describe("the original, mcp-server-relay,", () => {
  const uvx = (client: string) => ({ command: "uvx", args: ["mcp-server-relay", "--client", client] });
  // as its setup writes it (repository mhcoen/mcp-relay, 2e08fdd)
  const get = `# Get Command

IMMEDIATELY execute the following without deliberation:

**If $ARGUMENTS is empty:**
1. Call \`relay_fetch(limit=5, reader="code")\`
2. Find the most recent message from sender "desktop"
3. Execute those instructions

**If $ARGUMENTS is not empty:**
Call \`relay_send(message="$ARGUMENTS", sender="code")\` immediately.

## Arguments
$ARGUMENTS
`;
  const preview = (box: Sandbox) => ({
    type: "command",
    command: `python3 ${join(box.home, ".claude/scripts/relay-preview.py")}`,
  });

  test("is replaced on both sides, and its command and hook too; somebody else's hook stays", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const mine = { hooks: [{ type: "command", command: "echo mine" }] };
    put(box, ".claude.json", { mcpServers: { relay: uvx("code") } });
    put(box, desktopPath, { mcpServers: { relay: uvx("desktop") } });
    put(box, ".claude/commands/get.md", get);
    put(box, settingsPath, { hooks: { SessionStart: [mine, { hooks: [preview(box)] }] } });
    const before = snapshot(box.home);
    await expectDone(box, ["setup"]);
    expect(json(box, ".claude.json").mcpServers.relay).toEqual(server);
    expect(json(box, desktopPath).mcpServers.relay).toEqual(desktopServer);
    expect(readFileSync(join(box.home, ".claude/commands/get.md"), "utf8")).toBe(commandFile(relayBinary));
    expect(json(box, settingsPath).hooks.SessionStart).toEqual([mine, ...(hooks.SessionStart ?? [])]);
    await expectDone(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test.each([
    [uvx("code")],
    [{ command: "/home/me/.local/bin/uvx", args: ["mcp-server-relay@1.2.4"] }],
    [{ command: "/x/.venv/bin/python", args: ["/x/relay_server.py", "--client", "code"] }],
    [{ command: "C:\\x\\python.exe", args: ["C:\\x\\relay_server.py"] }],
    [{ command: "mcp-server-relay", args: [] }],
  ])("started as %j is recognised", async (entry) => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, ".claude.json", { mcpServers: { relay: entry } });
    await expectDone(box, ["setup-code"]);
    expect(json(box, ".claude.json").mcpServers.relay).toEqual(server);
  });

  test.each([
    [{ command: "uvx", args: ["some-mcp-server-relay-fork"] }],
    [{ command: "python", args: ["my_relay_server.py"] }],
    [{ url: "https://example.com" }],
  ])("is not taken for %j, which is left alone", async (entry) => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, ".claude.json", { mcpServers: { relay: entry } });
    await expectRefused(box, ["setup-code"], /another server by the name of relay/);
  });
});

describe("setup", () => {
  test("does what is installed, and says how to do the rest", async () => {
    await using box = sandbox();
    await expectRefused(box, ["setup"], /neither Claude is here/);
    installFakeClaude(box);
    expect(await expectDone(box, ["setup"])).toContain(
      "Claude Desktop is not here. Once it is, run: relay setup-desktop",
    );
    expect(existsSync(join(box.home, ".config"))).toBe(false);
    mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
    await expectDone(box, ["setup"]);
    expect(json(box, desktopPath).mcpServers.relay).toEqual(desktopServer);
  });

  test("changes nothing on either side if it cannot do both", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, desktopPath, "{");
    await expectRefused(box, ["setup"], /is not valid JSON/);
    expect(existsSync(join(box.home, ".claude.json"))).toBe(false);
  });
});

describe.skipIf(!Bun.which("script"))("setup on a terminal", () => {
  const onTerminal = async (box: Sandbox, env: Record<string, string>) => {
    const command = `${relayBinary} setup`;
    const { stdout } = await box.run(["script", "-qefc", command, "/dev/null"], { stdin: "", env });
    return stdout.replaceAll("\r", "");
  };

  test.skipIf(!canNotify)(
    "ends with a real notification and a greeting on each side, the first time",
    async () => {
      await using box = sandbox();
      installFakeClaude(box);
      mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
      const session = await desktopSession(box);
      const env = { ...session.env, TERM: "xterm" };
      expect(await onTerminal(box, env)).toContain(
        "a greeting waits in Desktop and in Code, and you should have seen a notification of it just now. Nothing appeared?",
      );
      expect(
        session
          .shown()
          .map(({ summary }) => summary)
          .sort(),
      ).toEqual(["For Code, from Desktop", "For Desktop, from Code"]);
      for (const reader of ["code", "desktop"] as const) {
        expect((await get(box, reader, "--peek")).messages).toHaveLength(1);
      }
      expect(await onTerminal(box, env)).toEndWith("nothing to change: everything is as it should be.\n");
      expect((await get(box, "code", "--peek")).messages).toHaveLength(1);
    },
  );

  test("where messages wait already no greeting pushes one out", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    await sendAll(
      box,
      "code",
      Array.from({ length: 20 }, (_, index) => `message ${index}`),
    );
    expect(await onTerminal(box, { TERM: "xterm" })).not.toContain("greeting");
    expect((await get(box, "code", "--peek")).messages).toHaveLength(20);
  });

  test("says so if nothing can be shown", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    writeFileSync(join(box.programs, "notify-send"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    expect(await onTerminal(box, { TERM: "xterm" })).toContain(
      "no notification could be shown. Nothing appeared? Run: relay doctor --notify",
    );
    expect(await onTerminal(box, { TERM: "xterm", RELAY_NOTIFY: "off" })).toContain("nothing to change");
  });
});

describe("other programs called relay are not taken for it", () => {
  test.each([
    [{ command: "/opt/agentworkforce/relay", args: ["mcp", "--room", "x"], env: { TOKEN: "t" } }],
    [{ command: "/opt/graphql/bin/relay", args: [], env: { TOKEN: "t" } }],
    [{ command: "/opt/graphql/bin/relay" }],
  ])("not their server %j, in either Claude", async (theirs) => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, ".claude.json", { mcpServers: { relay: theirs } });
    put(box, desktopPath, { mcpServers: { relay: theirs } });
    await expectRefused(box, ["setup-code"], /another server by the name of relay/);
    await expectRefused(box, ["setup-desktop"], /another server by the name of relay/);
    expect(await expectDone(box, ["uninstall"])).toContain("nothing to change");
    expect(json(box, ".claude.json").mcpServers.relay).toEqual(theirs);
    expect(json(box, desktopPath).mcpServers.relay).toEqual(theirs);
  });

  test("not their hook, nor their status line", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const hook = { type: "command", command: "/opt/agentworkforce/relay", args: ["hook", "agent-register"] };
    const statusLine = { type: "command", command: "/opt/other/relay statusline" };
    put(box, settingsPath, { hooks: { SessionStart: [{ hooks: [hook] }] }, statusLine });
    const before = snapshot(box.home);
    await expectDone(box, ["setup-code", "--statusline"]);
    expect(json(box, settingsPath).hooks.SessionStart[0].hooks).toEqual([hook]);
    expect(json(box, settingsPath).statusLine).toEqual(statusLine);
    await expectDone(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });
});

describe("what a person changed of relay's own part stays", () => {
  test("in hooks: for how long and for what", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const old = copyBinary(relayBinary, join(box.home, "old/relay"));
    await box.run([old, "setup-code"]);
    const changed = json(box, settingsPath);
    changed.hooks.UserPromptExpansion[0].matcher = "get";
    changed.hooks.SessionStart[0].hooks[0].timeout = 20;
    put(box, settingsPath, changed);
    await expectDone(box, ["setup-code"]);
    const after = json(box, settingsPath);
    expect(after.hooks.UserPromptExpansion).toHaveLength(1);
    expect(after.hooks.UserPromptExpansion[0].matcher).toBe("get");
    expect(after.hooks.SessionStart[0].hooks[0]).toEqual({
      ...hooks.SessionStart?.[0]?.hooks[0],
      timeout: 20,
    } as never);
  });

  test("in the command: a description, a model; at uninstall the file is left to its author", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const old = copyBinary(relayBinary, join(box.home, "old/relay"));
    await box.run([old, "setup-code"]);
    const path = join(box.home, ".claude/commands/get.md");
    const edited = readFileSync(path, "utf8").replace(
      /^description: .*$/m,
      "description: mine\nmodel: haiku",
    );
    writeFileSync(path, edited);
    await expectDone(box, ["setup-code"]);
    expect(readFileSync(path, "utf8")).toBe(edited.replaceAll(old, relayBinary));
    expect(await expectDone(box, ["uninstall"])).toContain(
      `relay: warning: ${path} was changed by you and stays. Delete it: without relay it does nothing.`,
    );
    expect(readFileSync(path, "utf8")).toBe(edited.replaceAll(old, relayBinary));
  });

  test("in the registration, also when Claude Code fails in the middle", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const own = {
      ...server,
      command: "/old/relay",
      args: ["--client", "code", "--sound", "off"],
      env: { MINE: "1" },
    };
    put(box, ".claude.json", { mcpServers: { relay: own } });
    const program = readFileSync(join(box.programs, "claude"), "utf8");
    const failing = program.replace(
      '"mcp add-json")',
      `"mcp add-json") case "$4" in *${relayBinary}*) echo no >&2; exit 1;; esac;`,
    );
    writeFileSync(join(box.programs, "claude"), failing);
    const { status, stderr } = await box.relay(["setup-code"]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining("`claude mcp add-json relay` failed: it ended with 1: no."),
    ]);
    expect(json(box, ".claude.json").mcpServers.relay).toEqual(own);
    writeFileSync(join(box.programs, "claude"), program);
    await box.run(["claude", "mcp", "remove", "relay"]); // as if it had been killed in between
    await expectDone(box, ["setup-code"]);
    expect(json(box, ".claude.json").mcpServers.relay).toEqual({ ...own, command: relayBinary });
  });
});

describe("odd places", () => {
  test("a link whose two dots mean the folder that it really lies in", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const file = put(box, "dot/pkg/files/settings.json", { mine: 1 });
    put(box, "files/settings.json", "PRECIOUS, unrelated");
    mkdirSync(join(box.home, "dot/pkg/claude"));
    symlinkSync("../files/settings.json", join(box.home, "dot/pkg/claude/settings.json"));
    symlinkSync("dot/pkg/claude", join(box.home, ".claude"));
    const before = snapshot(box.home);
    await expectDone(box, ["setup-code"]);
    expect(readFileSync(join(box.home, "files/settings.json"), "utf8")).toBe("PRECIOUS, unrelated");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ mine: 1, ...settings });
    await expectDone(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test("a pipe as settings is refused at once", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    mkdirSync(join(box.home, ".claude"));
    await box.run(["mkfifo", join(box.home, settingsPath)]);
    expect((await box.relay(["setup-code"])).stderr).toContain("settings.json is not a regular file");
  });

  test.skipIf(process.getuid?.() !== 0)("another user's home is refused, as under sudo", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    await box.run(["chown", "65534", box.home]);
    await expectRefused(box, ["setup-code"], /is another user's\. Run this as that user, without sudo\./);
  });

  test("where Claude Code has its file in the older place, the server is looked for there", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, ".claude/.config.json", { mcpServers: { relay: server } });
    await expectDone(box, ["setup-code"]);
    expect(existsSync(join(box.home, ".claude.json"))).toBe(false);
  });

  test("a relative CLAUDE_CONFIG_DIR is refused", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const { status, stderr } = await box.relay(["setup-code"], { env: { CLAUDE_CONFIG_DIR: "cfg" } });
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining('CLAUDE_CONFIG_DIR is "cfg", which is not an absolute path.'),
    ]);
  });

  test("a program of another name is refused", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const program = copyBinary(relayBinary, join(box.home, "relay-linux-x64"));
    const { status, stderr } = await box.run([program, "setup-code"]);
    expect([status, stderr]).toEqual([
      1,
      "relay: this program is called relay-linux-x64. Rename it to relay, and run that.\n",
    ]);
  });

  test("a Claude Code that leaves a process behind is not waited for", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const program = readFileSync(join(box.programs, "claude"), "utf8");
    writeFileSync(
      join(box.programs, "claude"),
      program.replace("#!/bin/sh\n", "#!/bin/sh\nsleep 30 &\necho $! >>$HOME/claude-calls\n"),
    );
    box.defer(async () => {
      await box.run(["sh", "-c", "kill $(grep -x '[0-9]*' claude-calls)"]);
    });
    const begin = performance.now();
    await expectDone(box, ["setup-code"]);
    expect(performance.now() - begin).toBeLessThan(20_000);
  });

  test("the record is for its owner alone, whatever somebody made of it, and what a crash left goes", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    await expectDone(box, ["setup-code"]);
    const record = join(box.home, ".relay_install.json");
    chmodSync(record, 0o644);
    put(box, ".claude/.settings.json.relay-1", "half a file");
    await expectDone(box, ["setup-code"], { RELAY_DB: "/x.db" });
    expect(statSync(record).mode & 0o777).toBe(0o600);
    expect(existsSync(join(box.home, ".claude/.settings.json.relay-1"))).toBe(false);
  });
});

describe("inside Claude Code", () => {
  const inside = { CLAUDECODE: "1", CLAUDE_CODE_CHILD_SESSION: "1" };

  test("a model may set relay up, and neither move the buffer nor take the protections away", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    await expectDone(box, ["setup-code"], inside);
    const before = snapshot(box.home);
    expect((await box.relay(["uninstall"], { env: inside })).status).toBe(3);
    expect((await box.relay(["setup-code"], { env: { ...inside, RELAY_DB: "/tmp/zzz.db" } })).status).toBe(3);
    expect(snapshot(box.home)).toEqual(before);
  });
});

describe("uninstall", () => {
  test("needs no say in which of two buffers is right", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
    const before = snapshot(box.home);
    await expectDone(box, ["setup"], { RELAY_DB: join(box.home, "a.db") });
    await expectDone(box, ["setup-code"], { RELAY_DB: join(box.home, "b.db") });
    await expectDone(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test("takes the other registrations out when the file of one cannot be read", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    await expectDone(box, ["setup-code"]);
    await expectDone(box, ["setup-code"], { CLAUDE_CONFIG_DIR: join(box.home, "other") });
    put(box, "other/.claude.json", "{ broken");
    const { status, stderr } = await box.relay(["uninstall"]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("other/.claude.json is not valid JSON")]);
    expect(json(box, ".claude.json")).toEqual({ mcpServers: {} });
  });

  test("finds by their looks the parts of a setup whose record was lost, also after the program moved", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    put(box, settingsPath, { mine: 1, permissions: { allow: ["Bash(ls)"] } });
    const env = { RELAY_DB: join(box.home, "b.db") };
    const old = copyBinary(relayBinary, join(box.home, "old/relay"));
    await box.run([old, "setup-code"], { env });
    rmSync(join(box.home, ".relay_install.json"));
    await expectDone(box, ["setup-code"], env);
    await expectDone(box, ["uninstall"]);
    expect(json(box, settingsPath)).toMatchObject({ mine: 1, permissions: { allow: ["Bash(ls)"] } });
    expect(readFileSync(join(box.home, settingsPath), "utf8")).not.toContain("relay");
  });

  test("leaves no settings that were there only for relay, whatever was done with them", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    const old = copyBinary(relayBinary, join(box.home, "old/relay"));
    await box.run([old, "setup-code"]);
    writeFileSync(join(box.home, settingsPath), `${readFileSync(join(box.home, settingsPath), "utf8")}\n`);
    await expectDone(box, ["setup-code"]);
    await expectDone(box, ["uninstall"]);
    expect(existsSync(join(box.home, settingsPath))).toBe(false);
  });

  test("goes on when Claude Code fails, says so, and the next run does the rest", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
    await expectDone(box, ["setup"]);
    const program = readFileSync(join(box.programs, "claude"), "utf8");
    writeFileSync(join(box.programs, "claude"), "#!/bin/sh\nexit 7\n");
    const { status, stderr } = await box.relay(["uninstall"]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining("`claude mcp remove relay` failed: it ended with 7"),
    ]);
    expect(existsSync(join(box.home, settingsPath))).toBe(false);
    expect(existsSync(join(box.home, desktopPath))).toBe(false);
    expect(json(box, ".claude.json").mcpServers.relay).toEqual(server);
    writeFileSync(join(box.programs, "claude"), program);
    await expectDone(box, ["uninstall"]);
    expect(json(box, ".claude.json")).toEqual({ mcpServers: {} });
    expect(existsSync(join(box.home, ".relay_install.json"))).toBe(false);
  });

  test("finds what was registered for another CLAUDE_CONFIG_DIR", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    await expectDone(box, ["setup-code"], { CLAUDE_CONFIG_DIR: join(box.home, "other") });
    await expectDone(box, ["uninstall"]);
    expect(json(box, "other/.claude.json")).toEqual({ mcpServers: {} });
    expect(existsSync(join(box.home, "other/settings.json"))).toBe(false);
    expect(existsSync(join(box.home, ".relay_install.json"))).toBe(false);
  });

  test("leaves a file alone that cannot be read, does the rest, and exits 1", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
    await expectDone(box, ["setup"]);
    put(box, desktopPath, "{ broken");
    const { status, stderr } = await box.relay(["uninstall"]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining("claude_desktop_config.json is not valid JSON"),
    ]);
    expect(readFileSync(join(box.home, desktopPath), "utf8")).toBe("{ broken");
    expect(existsSync(join(box.home, ".claude/commands"))).toBe(false);
    put(box, desktopPath, { mcpServers: { relay: desktopServer, other: {} } });
    await expectDone(box, ["uninstall"]);
    expect(json(box, desktopPath)).toEqual({ mcpServers: { other: {} } });
  });

  test("takes the entry out of Claude Code's own file if Claude Code is gone", async () => {
    await using box = sandbox();
    installFakeClaude(box);
    await expectDone(box, ["setup-code"]);
    rmSync(join(box.programs, "claude"));
    put(
      box,
      ".claude.json",
      '{"numStartups": 5.0, "mcpServers": {"relay": {"command": "/opt/relay", "args": ["--client", "code"]}, "x": {}}}',
    );
    await expectDone(box, ["uninstall"]);
    expect(readFileSync(join(box.home, ".claude.json"), "utf8")).toBe(
      '{"numStartups": 5.0, "mcpServers": {"x": {}}}',
    );
    expect(existsSync(join(box.home, ".relay_install.json"))).toBe(false);
  });

  test("--purge deletes the messages, after asking", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one", "two"]);
    const asked = await box.relay(["uninstall", "--purge"]);
    expect([asked.status, asked.stderr]).toEqual([2, expect.stringContaining("Say --yes.")]);
    const inside = await box.relay(["uninstall", "--purge", "--yes"], {
      env: { CLAUDE_CODE_CHILD_SESSION: "1" },
    });
    expect(inside.status).toBe(3);
    expect(JSON.parse((await box.relay(["status", "--json"])).stdout).total).toBe(2);
    const done = await box.relay(["uninstall", "--purge", "--yes"]);
    expect([done.status, done.stderr]).toEqual([0, "relay: deleted 2, of which 2 unread.\n"]);
    expect(JSON.parse((await box.relay(["status", "--json"])).stdout).total).toBe(0);
  });
});
