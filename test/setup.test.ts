// "One command in": design.md, promise 4, with the binary and a stand-in for Claude Code's program.
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { commandFile, noBunOptions, serverEntry } from "../src/setup/claude-code.ts";
import { relayBinary, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";
import {
  copyBinary,
  expectRefused,
  home,
  installed,
  installFakeClaude,
  json,
  paths,
  put,
  run,
  snapshot,
  text,
} from "./support/setup-box.ts";

const ours = (box: Sandbox) => `${relayBinary} statusline --db ${box.buffer}`;
const live = (box: Sandbox) => ({ type: "command", command: ours(box), refreshInterval: 3 });

describe("setup-code in an empty home", () => {
  test.each([["setup-code"], ["--setup-code"]])(
    "%s registers the server, command, hooks and rules, once",
    async (verb) => {
      await using box = home();
      const empty = snapshot(box.home);
      const said = await run(box, [verb]);
      expect(json(box, paths.code)).toEqual({ mcpServers: { relay: installed(box).server } });
      expect(json(box, paths.settings)).toEqual(installed(box).settings);
      expect(text(box, paths.command)).toBe(installed(box).command);
      expect(text(box, paths.send)).toBe(installed(box).send);
      expect(said).toBe(`Claude Code
  + registered the server, by \`claude mcp add-json\`
  + added the hooks of /get, and allowed relay_send: ~/${paths.settings}
  + installed the command /get: ~/${paths.command}
  + installed the command /send: ~/${paths.send}
  – no status line; relay setup --statusline adds a live one

Now
  1 Restart open sessions of Claude Code, which do not know relay yet. Then type /get there.
`);
      for (const path of [paths.settings, paths.command, paths.record])
        expect(statSync(join(box.home, path)).mode & 0o777).toBe(0o600);
      const after = snapshot(box.home, ["claude-calls"]);
      expect(await run(box, [verb])).toBe(`Claude Code
  ✓ the server is registered
  ✓ the hooks and rules of /get are in the settings
  – no status line; relay setup --statusline adds a live one
  ✓ the commands /get and /send are installed

relay is already set up; nothing to change.
`);
      expect(snapshot(box.home, ["claude-calls"])).toEqual(after);
      await run(box, ["uninstall"]);
      expect(json(box, paths.code)).toEqual({ mcpServers: {} });
      expect(snapshot(box.home)).toEqual(empty);
      const remains = `What remains: relay itself: ${relayBinary}`;
      const none = "  – nothing of relay's is in its configuration\n";
      expect(await run(box, ["uninstall"])).toBe(
        `Claude Code\n${none}\nClaude Desktop\n${none}\nrelay is not set up; nothing to remove.\n${remains}\n`,
      );
    },
  );

  test("--dry-run shows each change and the command, and makes none", async () => {
    await using box = home();
    put(box, paths.settings, { model: "opus", language: "\u202e\u007f\u{e0041}" });
    const before = snapshot(box.home);
    const said = await run(box, ["setup-code", "--dry-run"]);
    expect(said).toContain("\\u202e\\u007f\\u{e0041}");
    expect(said).not.toMatch(/\p{Bidi_Control}|\p{Default_Ignorable_Code_Point}|\u007f/u);
    expect(said).toContain("mcp add-json relay");
    expect(said).toContain('\n-  "language": ');
    expect(said).toContain('\n+  "language": ');
    expect(said).toContain('\n+      "Read(~/.relay_url)",\n+      "Read(~/.relay_buffer.db*)"\n');
    expect(said).toEndWith("\n\nNothing was changed: this was a dry run.\n");
    expect(snapshot(box.home)).toEqual(before);
    expect(existsSync(join(box.home, paths.code))).toBe(false);
  });

  test("--json prints the same for programs", async () => {
    await using box = home();
    const printed = JSON.parse(await run(box, ["setup-code", "--json"]));
    expect(printed).toMatchObject({ ok: true, changed: true, dry_run: false, warnings: [] });
    expect(
      printed.steps.map(
        ({ path, command }: { path?: string; command?: string[] }) => path ?? command?.slice(1, 4).join(" "),
      ),
    ).toEqual([
      "mcp add-json relay",
      ...[paths.settings, paths.command, paths.send].map((path) => join(box.home, path)),
    ]);
    const again = JSON.parse(await run(box, ["setup-code", "--json"]));
    expect(again).toMatchObject({ changed: false, steps: [] });
  });
});

describe("setup-code refuses, and writes nothing,", () => {
  const file = (path: string, content: string | object) => (box: Sandbox) => void put(box, path, content);
  const another = { mcpServers: { relay: { command: "/opt/other" } } };
  test.each<[string, (box: Sandbox) => unknown, RegExp]>([
    [
      "without Claude Code",
      ({ programs }) => rmSync(join(programs, "claude")),
      /^relay: Claude Code is not installed: /,
    ],
    [
      "below the first version that asks",
      (box) => installFakeClaude(box, "2.1.198"),
      /Claude Code 2\.1\.198 would let a model read .* 2\.1\.199 or newer\. Run: claude update\n$/,
    ],
    ["an invalid version", (box) => installFakeClaude(box, "nonsense"), /does not answer with a version/],
    [
      "settings that are no JSON",
      file(paths.settings, '{\n  "model": "opus",\n  "hooks": {]\n}\n'),
      /settings\.json is not valid JSON \(line 3: [a-z ]+\)\. It was left alone; correct it or move it away, and run this again\.\n$/,
    ],
    [
      "a comment, at which Claude Code ignores the file",
      file(paths.settings, '\uFEFF{\n  "model": "opus" // mine\n}\n'),
      /settings\.json is not valid JSON \(line 2: [a-z ]+\)/,
    ],
    ["invalid hooks", file(paths.settings, { hooks: "none" }), /"hooks" in .*settings\.json is not an object\./],
    ["another server of that name", file(paths.code, another), /another server by the name of relay\. Rename/],
    [
      "two commands of the person's own",
      (box) => ["get", "relay"].map((name) => put(box, `.claude/commands/${name}.md`, "mine")),
      /both \/get and \/relay are other commands or skills/,
    ],
    [
      "two others of the person's own",
      (box) => ["send", "relay-send"].map((name) => put(box, `.claude/commands/${name}.md`, "mine")),
      /both \/send and \/relay-send are other commands or skills/,
    ],
    ["a damaged record", file(paths.record, "{"), /the record of what .* is damaged/],
    [
      "a pipe in a file's place",
      ({ home }) => Bun.spawnSync(["sh", "-c", "mkdir .claude; mkfifo .claude/settings.json"], { cwd: home }),
      /settings\.json is not a regular file\. Move it away/,
    ],
  ])("%s", async (_name, prepare, sentence) => {
    await using box = home();
    prepare(box);
    const before = existsSync(join(box.home, paths.code));
    const { status, stdout, stderr } = await box.relay(["setup-code"]);
    expect([status, stdout, stderr.trimEnd().split("\n").length]).toEqual([1, "", 1]);
    expect(stderr).toMatch(sentence);
    expect(existsSync(join(box.home, paths.code))).toBe(before);
    expect(existsSync(join(box.home, paths.command)) && text(box, paths.command) !== "mine").toBe(false);
  });

  test("and runs no claude that the working directory could decide", async () => {
    await using box = sandbox();
    const project = join(box.home, "project");
    for (const path of ["project/claude", "project/sub/claude"]) put(box, path, "#!/bin/sh\ntouch pwned\n", 0o755);
    symlinkSync(project, join(box.programs, "link"));
    const folders = [".", "sub", "", project, join(project, "sub"), join(box.programs, "link")];
    const env = { ...box.env, PATH: [...folders, box.env.PATH].join(":") };
    const { status, stderr } = await box.run([relayBinary, "setup-code"], { env, cwd: project });
    expect([status, stderr]).toEqual([1, expect.stringContaining("Claude Code is not installed")]);
    expect(existsSync(join(project, "pwned"))).toBe(false);
  });

  test.skipIf(process.getuid?.() !== 0)("in another user's home, as under sudo", async () => {
    await using box = home();
    await box.run(["chown", "65534", box.home]);
    await expectRefused(box, ["setup-code"], /is another user's\. Run this as that user, without sudo\./);
  });

  test("a relative CLAUDE_CONFIG_DIR", async () => {
    await using box = home();
    const { status, stderr } = await box.relay(["setup-code"], { env: { CLAUDE_CONFIG_DIR: "cfg" } });
    const sentence = 'CLAUDE_CONFIG_DIR is "cfg", which is not an absolute path.';
    expect([status, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  });

  test("as a program of another name", async () => {
    await using box = home();
    const program = copyBinary(relayBinary, join(box.home, "relay-linux-x64"));
    const { status, stderr } = await box.run([program, "setup-code"]);
    const sentence = "relay: this program is called relay-linux-x64. Rename it to relay, and run that.\n";
    expect([status, stderr]).toEqual([1, sentence]);
  });
});

describe("the person's own configuration of Claude Code stays", () => {
  const others = {
    model: "opus",
    hooks: {
      SessionStart: [{ hooks: [{ type: "command", command: "echo hello" }] }],
      UserPromptExpansion: [{ matcher: "other", hooks: [{ type: "command", command: "echo other" }] }],
    },
    permissions: { allow: ["Bash(ls)"], deny: ["Read(./.env)"], ask: ["WebFetch"] },
  };

  test("beside what relay adds, and alone again after uninstall", async () => {
    await using box = home();
    put(box, paths.settings, others);
    const before = snapshot(box.home);
    await run(box, ["setup-code"]);
    expect(json(box, paths.settings)).toEqual({
      ...others,
      hooks: {
        SessionStart: [...others.hooks.SessionStart, ...installed(box).settings.hooks.SessionStart],
        UserPromptExpansion: [
          ...others.hooks.UserPromptExpansion,
          ...installed(box).settings.hooks.UserPromptExpansion,
        ],
      },
      permissions: {
        allow: ["Bash(ls)", "mcp__relay__relay_send", "Read(~/.relay_files/**)"],
        deny: ["Read(./.env)", "Read(~/.relay_url)", "Read(~/.relay_buffer.db*)"],
        ask: ["WebFetch"],
      },
    });
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test("a link to settings stays a link, and mode, byte order mark and line ends stay", async () => {
    await using box = home();
    const start = '\uFEFF{\r\n\t"model": "opus"\r\n}\r\n';
    const file = put(box, "dotfiles/claude.json", start, 0o640);
    chmodSync(file, 0o640);
    mkdirSync(join(box.home, ".claude"));
    symlinkSync("../dotfiles/claude.json", join(box.home, paths.settings));
    const before = snapshot(box.home);
    await run(box, ["setup-code"]);
    const changed = readFileSync(file, "utf8");
    expect(changed).toStartWith('\uFEFF{\r\n\t"model": "opus",\r\n\t"hooks": {\r\n\t\t"UserPromptExpansion": [\r\n');
    expect(changed.replaceAll("\r\n", "")).not.toContain("\n");
    expect(statSync(file).mode & 0o777).toBe(0o640);
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test.each<[string, string]>([
    ["command", ".claude/commands/NAME.md"],
    ["skill", ".claude/skills/NAME/SKILL.md"],
  ])("a person's own get and send, each a %s, make relay's /relay and /relay-send", async (_kind, path) => {
    await using box = home();
    const own = ["get", "send"].map((name) => path.replace("NAME", name));
    for (const file of own) put(box, file, "my own");
    const before = snapshot(box.home);
    expect(await run(box, ["setup-code"])).toContain("Then type /relay there.");
    for (const file of own) expect(text(box, file)).toBe("my own");
    expect(text(box, ".claude/commands/relay.md")).toBe(installed(box).command);
    expect(text(box, ".claude/commands/relay-send.md")).toBe(installed(box).send);
    expect(await run(box, ["setup-code"])).toContain("nothing to change");
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test("once the person's own get is gone, relay's is /get again, and nothing else", async () => {
    await using box = home();
    const own = put(box, paths.command, "my own get");
    await run(box, ["setup-code"]);
    rmSync(own);
    await run(box, ["setup-code"]);
    expect(text(box, paths.command)).toBe(installed(box).command);
    expect(existsSync(join(box.home, ".claude/commands/relay.md"))).toBe(false);
  });
});

describe("a file that cannot be replaced", () => {
  const canMount = Bun.spawnSync(["unshare", "-rm", "true"]).exitCode === 0;

  test("but is read-only, as in the Nix store: refused before any change, with the JSON to add by hand", async () => {
    await using box = home();
    const store = put(box, "store/settings.json", { model: "opus" }, 0o444);
    mkdirSync(join(box.home, ".claude"));
    symlinkSync(store, join(box.home, paths.settings));
    const before = snapshot(box.home);
    const { status, stderr } = await box.relay(["setup-code"]);
    const byHand =
      /settings\.json is read-only, because .*\/store\/settings\.json is\. Make it writable, or add .*: (.*)$/m;
    expect([status, stderr]).toEqual([1, expect.stringMatching(byHand)]);
    expect(JSON.parse(byHand.exec(stderr)?.[1] ?? "")).toEqual(installed(box).settings);
    expect(snapshot(box.home)).toEqual(before);
    expect(existsSync(join(box.home, paths.code))).toBe(false);
    const doctor = JSON.parse((await box.relay(["doctor", "--json"])).stdout);
    expect(JSON.stringify(doctor)).not.toContain('"Run: relay setup');
    expect(JSON.stringify(doctor)).toContain("settings.json is read-only");
    rmSync(store);
    put(box, "store/settings.json", { ...installed(box).settings, model: "opus" }, 0o444);
    await run(box, ["setup-code"]);
    expect(text(box, paths.command)).toBe(installed(box).command);
  });

  test("but is Claude Code's own: refused before any change, too", async () => {
    await using box = home();
    put(box, paths.code, {}, 0o444);
    const sentence =
      /\.claude\.json is read-only\. Make it writable, or add this to it by hand: \{"mcpServers":\{"relay":/;
    await expectRefused(box, ["setup"], sentence);
    expect((await box.relay(["doctor"])).stdout).not.toContain("Run: relay setup");
    rmSync(join(box.home, paths.code));
  });

  test.skipIf(!canMount).each([
    ["is mounted alone", `mount --bind host.json ${paths.settings}`],
    ["has a group that it cannot be given", `:`],
  ])("but %s: written in place, in and out", async (_name, prepare) => {
    await using box = home();
    const file = put(box, paths.settings, { model: "opus" });
    const changed = prepare === ":" ? paths.settings : "host.json";
    const before = readFileSync(file, "utf8");
    put(box, "host.json", before);
    if (prepare === ":") await box.run(["chgrp", "12345", file]);
    const { ino } = statSync(join(box.home, changed));
    for (const verb of ["setup-code", "uninstall"]) {
      const script = `${prepare} && exec "$0" ${verb}`;
      expect(await box.run(["unshare", "-rm", "sh", "-c", script, relayBinary])).toMatchObject({
        status: 0,
        stderr: "",
      });
      if (verb === "setup-code") expect(json(box, changed)).toEqual({ model: "opus", ...installed(box).settings });
      expect(statSync(join(box.home, changed)).ino).toBe(ino);
    }
    expect(text(box, changed)).toBe(before);
  });

  test("although that could not be known: says what is done, and how to take it out", async () => {
    await using box = home();
    const file = put(box, paths.settings, {});
    const program = readFileSync(join(box.programs, "claude"), "utf8");
    writeFileSync(join(box.programs, "claude"), `${program}\n[ "$2" != add-json ] || chmod 444 ${file}\n`);
    const { stderr } = await box.relay(["setup-code"]);
    expect(stderr).toContain("settings.json is read-only. ");
    expect(stderr).toEndWith(" Already done: registers the server. relay uninstall takes that out.\n");
  });
});

describe("options of Claude Code", () => {
  test("the sandbox, where it is on, lets the exact command out", async () => {
    await using box = home();
    put(box, paths.settings, { sandbox: { enabled: true, excludedCommands: ["docker *"] } });
    await run(box, ["setup-code"]);
    const { excludedCommands } = json(box, paths.settings).sandbox;
    expect(excludedCommands).toEqual(["docker *", `${relayBinary} typed --db ${box.buffer}`]);
  });

  test("--sandbox switches the sandbox on, until uninstall, and only where it can run", async () => {
    await using box = home();
    const program = (name: string, script: string) => put(box, `../${basename(box.programs)}/${name}`, script, 0o755);
    const before = snapshot(box.home);
    program("bwrap", "#!/bin/sh\necho no namespaces >&2; exit 1\n");
    program("socat", "#!/bin/sh\n");
    await expectRefused(box, ["setup", "--sandbox"], /sandbox cannot run: bwrap ended with 1: no namespaces\. Allow/);
    program("bwrap", "#!/bin/sh\n");
    await run(box, ["setup", "--sandbox"]);
    const { sandbox } = json(box, paths.settings);
    expect(sandbox).toEqual({ enabled: true, failIfUnavailable: true, excludedCommands: [expect.any(String)] });
    expect(await run(box, ["setup"])).toContain("nothing to change");
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
    put(box, paths.settings, { sandbox: { enabled: true } });
    await run(box, ["setup", "--sandbox"]);
    await run(box, ["setup"]);
    expect(json(box, paths.settings).sandbox).toMatchObject({ failIfUnavailable: true });
    const off = { ...json(box, paths.settings), sandbox: { enabled: false } };
    put(box, paths.settings, off);
    await run(box, ["setup"]);
    expect(json(box, paths.settings)).toEqual(off);
  });

  test("an older Claude Code beside it, which ignores settings with these hooks, is named", async () => {
    await using box = home();
    const old = put(box, "old/claude", "#!/bin/sh\necho '2.1.100 (Claude Code)'\n", 0o755);
    const said = await run(box, ["setup-code"], { PATH: `${box.env.PATH}:${join(box.home, "old")}` });
    expect(said).toContain(`  ! ${old} is older than 2.1.101 and ignores the whole settings file`);
  });

  test("a live status line is added when asked for, and stays in every later setup", async () => {
    await using box = home();
    expect(await run(box, ["setup-code"])).toContain("  – no status line; relay setup --statusline adds a live one\n");
    expect(json(box, paths.settings).statusLine).toBeUndefined();
    const said = await run(box, ["setup-code", "--statusline"]);
    expect(said).toContain("  + added a live status line, which shows what waits: ~/");
    expect(json(box, paths.settings).statusLine).toEqual(live(box));
    const again = await run(box, ["setup-code"]);
    expect(again).toContain("  ✓ the hooks and rules of /get and the status line are in the settings\n");
  });

  test.each<[string, (box: Sandbox) => object]>([
    ["of an older relay", (box) => ({ type: "command", command: ours(box) })],
    ["of an older relay elsewhere", () => ({ type: "command", command: "/old/relay statusline --db /old.db" })],
    ["that the person added", () => ({ type: "command", command: "relay statusline" })],
  ])("a status line %s becomes live", async (_name, line) => {
    await using box = home();
    put(box, paths.settings, { statusLine: line(box) });
    expect(await run(box, ["setup-code"])).toContain("  + added a live status line");
    expect(json(box, paths.settings).statusLine).toEqual(live(box));
    await run(box, ["uninstall"]);
    const { command } = line(box) as { command: string };
    expect(existsSync(join(box.home, paths.settings)) && text(box, paths.settings).includes("--db")).toBe(false);
    if (command.startsWith("relay")) expect(json(box, paths.settings)).toEqual({ statusLine: line(box) });
  });

  test("a person's own status line stays, with relay's after it when asked for", async () => {
    await using box = home();
    const own = { type: "command", command: "printf '%s' \"it's\"", padding: 0 };
    put(box, paths.settings, { statusLine: own, theme: "dark" });
    const before = snapshot(box.home);
    expect(await run(box, ["setup-code"])).toContain("  – your own status line stays; relay setup --statusline puts");
    expect(json(box, paths.settings).statusLine).toEqual(own);
    const said = await run(box, ["setup-code", "--statusline"]);
    expect(said).toContain("  + put what waits after your own status line, and made it live: ~/");
    const command = `${ours(box)} '--after=printf '\\''%s'\\'' "it'\\''s"'`;
    expect(json(box, paths.settings).statusLine).toEqual({ ...own, command, refreshInterval: 3 });
    expect(await run(box, ["setup-code"])).toContain("nothing to change");
    const after = text(box, paths.settings);
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
    put(box, paths.settings, after.replace("dark", "light"));
    await run(box, ["uninstall"]);
    expect(json(box, paths.settings).statusLine).toEqual({ ...own, refreshInterval: 3 }); // without a record
  });

  test("CLAUDE_CONFIG_DIR is where everything goes", async () => {
    await using box = home();
    const env = { CLAUDE_CONFIG_DIR: join(box.home, "my claude") };
    await run(box, ["setup-code"], env);
    expect(json(box, "my claude/settings.json")).toEqual(installed(box).settings);
    expect(json(box, "my claude/.claude.json").mcpServers.relay).toEqual(installed(box).server);
    expect(existsSync(join(box.home, ".claude"))).toBe(false);
    await run(box, ["uninstall"], env);
    expect(Object.keys(snapshot(box.home)).sort()).toEqual([".", "./my claude"]);
  });

  test("where Claude Code has its file in the older place, the server is looked for there", async () => {
    await using box = home();
    put(box, ".claude/.config.json", { mcpServers: { relay: installed(box).server } });
    await run(box, ["setup-code"]);
    expect(existsSync(join(box.home, paths.code))).toBe(false);
  });

  test("RELAY_DB goes into the registrations and the settings, and the rule names that file", async () => {
    await using box = home({ desktop: true });
    const env = { RELAY_DB: join(box.home, "elsewhere.db") };
    await run(box, ["setup"], env);
    const there = installed({ buffer: env.RELAY_DB });
    expect(json(box, paths.code).mcpServers.relay).toEqual(there.server);
    expect(json(box, paths.desktop).mcpServers.relay).toEqual(there.desktopServer);
    expect(json(box, paths.settings).hooks).toEqual(there.settings.hooks);
    expect(text(box, paths.command)).toBe(there.command);
    expect(json(box, paths.settings).env).toEqual(env);
    expect(json(box, paths.settings).permissions.deny).toEqual(["Read(~/.relay_url)", `Read(/${env.RELAY_DB}*)`]);
    expect(await run(box, ["setup"], env)).toContain("nothing to change");
    // a later setup without it leaves both Claudes with the messages that wait there
    expect(await run(box, ["setup"])).toContain("nothing to change");
    const other = { RELAY_DB: join(box.home, "other.db") };
    await run(box, ["setup"], other);
    expect(json(box, paths.settings).env).toEqual(other);
    expect(json(box, paths.settings).permissions).toEqual({
      allow: ["mcp__relay__relay_send", `Read(/${box.home}/.relay_files-other.db/**)`],
      deny: ["Read(~/.relay_url)", `Read(/${other.RELAY_DB}*)`],
    });
    expect(json(box, paths.desktop).mcpServers.relay.args).toContain(other.RELAY_DB);
    const usual = { RELAY_DB: box.buffer };
    await run(box, ["setup"], usual);
    expect(json(box, paths.settings)).toEqual(installed(box).settings);
    await run(box, ["setup", "--db", other.RELAY_DB]);
    await box.relay(["send", "--to", "code", "x"], { env: other });
    const purged = await box.relay(["uninstall", "--purge", "--yes"]);
    expect(purged.stdout).toContain("relay: deleted 1 message, of which 1 unread.\n");
    expect(existsSync(join(box.home, paths.settings))).toBe(false);
  });

  test("two sides with different buffers are refused until RELAY_DB says which", async () => {
    await using box = home();
    put(box, paths.settings, { env: { RELAY_DB: "/one.db" } });
    put(box, paths.desktop, { mcpServers: { relay: installed({ buffer: "/two.db" }).desktopServer } });
    await expectRefused(box, ["setup"], /different buffers, \/one\.db and \/two\.db\. Set RELAY_DB/);
    await run(box, ["setup"], { RELAY_DB: "/one.db" });
    expect(json(box, paths.desktop).mcpServers.relay).toEqual(installed({ buffer: "/one.db" }).desktopServer);
  });

  test("a RELAY_DB that the person's settings set otherwise is refused", async () => {
    await using box = home();
    put(box, paths.settings, { env: { RELAY_DB: "/one.db" } });
    const sentence = /sets RELAY_DB to "\/one\.db", and this command has "\/two\.db"\. Make them equal/;
    await expectRefused(box, ["setup-code"], sentence, { RELAY_DB: "/two.db" });
    await run(box, ["setup-code"]);
    expect(json(box, paths.code).mcpServers.relay).toEqual(installed({ buffer: "/one.db" }).server);
  });

  test("--scope project registers plain relay in this folder's .mcp.json, beside others", async () => {
    await using box = home();
    symlinkSync(relayBinary, join(box.programs, "relay"));
    const other = { command: "other" };
    put(box, "project/.mcp.json", { mcpServers: { other } });
    const before = text(box, "project/.mcp.json");
    const project = { cwd: join(box.home, "project") };
    expect((await box.relay(["setup-code", "--scope", "project"], project)).status).toBe(0);
    const { mcpServers } = json(box, "project/.mcp.json");
    expect(mcpServers).toEqual({ other, relay: serverEntry("relay") });
    expect(existsSync(join(box.home, paths.code))).toBe(false);
    await run(box, ["uninstall"]);
    expect(text(box, "project/.mcp.json")).toBe(before);
  });

  test("--scope project leaves a .mcp.json alone that leads out of the folder", async () => {
    await using box = home();
    put(box, "precious.json", {});
    mkdirSync(join(box.home, "project"));
    symlinkSync("../precious.json", join(box.home, "project/.mcp.json"));
    const project = { cwd: join(box.home, "project") };
    const { status, stderr } = await box.relay(["setup-code", "--scope", "project"], project);
    const sentence = "is a link, which may lead out of this project";
    expect([status, stderr]).toEqual([1, expect.stringContaining(sentence)]);
    expect(json(box, "precious.json")).toEqual({});
  });

  test("a model may set relay up, and neither move the buffer nor remove the protections", async () => {
    await using box = home();
    const inside = { CLAUDECODE: "1", CLAUDE_CODE_CHILD_SESSION: "1" };
    await run(box, ["setup-code"], inside);
    const before = snapshot(box.home);
    expect((await box.relay(["uninstall"], { env: inside })).status).toBe(3);
    expect((await box.relay(["setup-code"], { env: { ...inside, RELAY_DB: "/tmp/zzz.db" } })).status).toBe(3);
    expect((await box.relay(["setup-desktop", "--allow-files", "/"], { env: inside })).status).toBe(3);
    expect(snapshot(box.home)).toEqual(before);
  });
});

test.each([
  ["/bin/sh", ["-c", '[ ! -x "$0" ] || exec "$0" "$@"', relayBinary]],
  [relayBinary, []],
])("an older installation, with hooks that start %s, is renewed, and removed", async (command, first) => {
  await using box = home({ desktop: true });
  const old = (event: string) => [
    { hooks: [{ type: "command", command, args: [...first, "hook", event], timeout: 5 }] },
  ];
  put(box, paths.settings, {
    hooks: { UserPromptExpansion: old("user-prompt-expansion"), SessionStart: old("session-start") },
    permissions: installed(box).settings.permissions,
  });
  put(box, paths.command, commandFile(relayBinary));
  put(box, paths.code, { mcpServers: { relay: serverEntry(relayBinary) } });
  await run(box, ["setup"]);
  const { server, desktopServer, settings, command: file } = installed(box);
  expect(json(box, paths.settings).hooks.SessionStart).toEqual(settings.hooks.SessionStart);
  expect(text(box, paths.settings)).not.toContain("args");
  expect([json(box, paths.code).mcpServers.relay, text(box, paths.command)]).toEqual([server, file]);
  expect(json(box, paths.desktop).mcpServers.relay).toEqual(desktopServer);
  await run(box, ["uninstall"]);
  expect(text(box, paths.settings)).not.toContain("hook ");
});

describe("the path that is registered", () => {
  test.each([["it's"], ["ünï (86) a b"]])("works in a folder called %j", async (name) => {
    await using box = home();
    const program = copyBinary(relayBinary, join(box.home, name, "relay"));
    expect(await box.run([program, "setup-code"])).toMatchObject({ status: 0, stderr: "" });
    expect(json(box, paths.code).mcpServers.relay.command).toBe(program);
    const [hook] = json(box, paths.settings).hooks.SessionStart[0].hooks;
    await sendAll(box, "code", ["hello"]);
    const env = { CLAUDE_CODE_SESSION_ID: "x", CLAUDE_PID: "1" };
    // in a folder that is gone, such as a worktree that a session removed
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec /bin/sh -c "$0"';
    const { stdout } = await box.run(["/bin/sh", "-c", script, hook.command], { env });
    expect(stdout).toContain("relay: 1 message from Desktop.");
    const slot = /!`(.*)`/.exec(text(box, paths.command))?.[1] ?? "";
    expect((await box.run(["/bin/sh", "-c", slot])).stderr).toContain("nobody typed /get or /send here");
    rmSync(program);
    expect(await box.run(["/bin/sh", "-c", hook.command], { env })).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("is the first one in PATH that leads to this binary", async () => {
    await using box = home();
    const cellar = copyBinary(relayBinary, join(box.home, "cellar/1.0/relay"));
    mkdirSync(join(box.home, "bin"));
    symlinkSync(cellar, join(box.home, "bin/relay"));
    const env = { PATH: `${join(box.home, "bin")}:${box.env.PATH}` };
    await box.run([cellar, "setup-code"], { env });
    expect(json(box, paths.code).mcpServers.relay.command).toBe(join(box.home, "bin/relay"));
  });

  test("changes everywhere when the program moved, and stands there once", async () => {
    await using box = home({ desktop: true });
    put(box, paths.settings, { sandbox: { enabled: true } });
    const before = snapshot(box.home);
    const old = copyBinary(relayBinary, join(box.home, "old/relay"));
    await box.run([old, "setup", "--statusline"]);
    rmSync(join(box.home, "old"), { recursive: true });
    await run(box, ["setup"]);
    const all = [paths.settings, paths.desktop, paths.command, paths.code].map((path) => text(box, path));
    expect(all.join("")).not.toContain("/old/relay");
    expect(json(box, paths.settings)).toEqual({
      sandbox: { enabled: true, excludedCommands: [`${relayBinary} typed --db ${box.buffer}`] },
      ...installed(box).settings,
      statusLine: live(box),
    });
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });
});

describe("setup-desktop", () => {
  test("makes the usual configuration if there is none, and uninstall removes it", async () => {
    await using box = sandbox();
    const said = await run(box, ["setup-desktop"]);
    expect(json(box, paths.desktop)).toEqual({ mcpServers: { relay: installed(box).desktopServer } });
    expect(said).toContain("Quit Claude Desktop and start it again.");
    expect(said).toContain("when I say get, call relay_fetch");
    expect(await run(box, ["setup-desktop"])).toContain("nothing to change");
    await run(box, ["uninstall"]);
    expect(Object.keys(snapshot(box.home))).toEqual(["."]);
  });

  test("adds to one that is there, and keeps a person's own parts of relay's entry", async () => {
    await using box = sandbox();
    const other = { command: "npx", args: ["-y", "other"] };
    const rest = { globalShortcut: "" };
    put(box, paths.desktop, { mcpServers: { other }, ...rest });
    const before = snapshot(box.home);
    await run(box, ["setup-desktop"]);
    expect(json(box, paths.desktop)).toEqual({ mcpServers: { other, relay: installed(box).desktopServer }, ...rest });
    const own = {
      command: "/old/relay",
      args: ["--client", "desktop", "--sound", "off"],
      env: { RELAY_NOTIFY: "off" },
    };
    put(box, paths.desktop, { mcpServers: { other, relay: own }, ...rest });
    await run(box, ["setup-desktop"]);
    const args = [...own.args, "--db", box.buffer];
    expect(json(box, paths.desktop).mcpServers.relay).toEqual({ ...own, command: relayBinary, args });
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test("--allow-files names the folders to send from, and they stay until it names others", async () => {
    await using box = sandbox();
    for (const name of ["a b", "c"]) mkdirSync(join(box.home, name));
    await run(box, ["setup-desktop"]);
    const argsAfter = async (...folders: string[]) => {
      await run(box, ["setup-desktop", ...folders.flatMap((folder) => ["--allow-files", folder])]);
      return json(box, paths.desktop).mcpServers.relay.args;
    };
    const args = (...words: string[]) => ["--client", "desktop", ...words, "--db", box.buffer];
    const two = args("--allow-files", join(box.home, "a b"), "--allow-files", join(box.home, "c"));
    expect(await argsAfter("a b", "./c")).toEqual(two);
    expect(await argsAfter()).toEqual(two);
    const { checks } = JSON.parse((await box.relay(["doctor", "--json"])).stdout);
    const found = checks.find(({ name }: { name: string }) => name === "files of Desktop");
    expect(found.detail).toBe(`its model may send files from ${box.home}/a b, ${box.home}/c`);
    expect(await argsAfter("off")).toEqual(args("--allow-files", "off"));
    const refused = await box.relay(["setup-desktop", "--allow-files", "nowhere"]);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('"nowhere", which is no folder') });
    await run(box, ["uninstall"]);
    expect(Object.keys(snapshot(box.home))).toEqual([".", "./a b", "./c"]);
  });

  // among processes of its own: a Claude Desktop may run on this machine
  const apart = ["unshare", "-r", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"];
  const canBeApart = Bun.which("unshare") !== null && Bun.spawnSync([...apart, "exit 0"]).exitCode === 0;

  test.skipIf(!canBeApart)("warns while Claude Desktop runs", async () => {
    await using box = sandbox();
    symlinkSync("/bin/cat", join(box.programs, "claude-desktop"));
    const said = (script: string) => {
      const argv = [...apart, script, relayBinary, join(box.programs, "claude-desktop")];
      const options = { env: box.env, cwd: box.home, timeout: 20_000 };
      const { exitCode, stdout, stderr } = Bun.spawnSync(argv, options);
      expect([exitCode, stderr.toString()]).toEqual([0, ""]);
      return stdout.toString();
    };
    // the fifo opens once cat, run by that name, reads it
    const running = said('mkfifo fifo && { "$1" fifo & } && exec 3>fifo && "$0" setup-desktop');
    expect(running).toContain("  ! Claude Desktop is running");
    const after = said('"$0" setup-desktop');
    expect(after).toContain("nothing to change");
    expect(after).not.toContain("!");
  });
});

describe("setup", () => {
  test("connects the Claude that is installed, and says how to connect the other", async () => {
    await using box = sandbox();
    await expectRefused(box, ["setup"], /neither Claude is installed/);
    installFakeClaude(box);
    const said = await run(box, ["setup"]);
    expect(said).toContain("Claude Desktop is not installed. Once it is, run: relay setup-desktop");
    expect(existsSync(join(box.home, ".config"))).toBe(false);
    mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
    await run(box, ["setup"]);
    expect(json(box, paths.desktop).mcpServers.relay).toEqual(installed(box).desktopServer);
  });

  test("changes nothing on either side if it cannot do both", async () => {
    await using box = home();
    put(box, paths.desktop, "{");
    await expectRefused(box, ["setup"], /is not valid JSON/);
    put(box, paths.desktop, '\uFEFF{"mcpServers": {}}');
    await expectRefused(box, ["setup"], /begins with a byte order mark \(line 1\), at which Claude Desktop drops/);
    expect(existsSync(join(box.home, paths.code))).toBe(false);
  });
});

describe("a person's change of relay's own part stays", () => {
  test("in hooks: the timeout and the matcher", async () => {
    await using box = home();
    const old = copyBinary(relayBinary, join(box.home, "old/relay"));
    await box.run([old, "setup-code"]);
    const changed = json(box, paths.settings);
    changed.hooks.UserPromptExpansion[0].matcher = "get";
    changed.hooks.SessionStart[0].hooks[0].timeout = 20;
    put(box, paths.settings, changed);
    await run(box, ["setup-code"]);
    const [prompt] = installed(box).settings.hooks.UserPromptExpansion;
    const [start] = installed(box).settings.hooks.SessionStart;
    expect(json(box, paths.settings).hooks).toEqual({
      UserPromptExpansion: [{ ...prompt, matcher: "get" }],
      SessionStart: [{ hooks: [{ ...start?.hooks[0], timeout: 20 }] }],
    });
    changed.hooks.UserPromptExpansion[0].matcher = "get|relay"; // an earlier relay's
    put(box, paths.settings, changed);
    await run(box, ["setup-code"]);
    expect(json(box, paths.settings).hooks.UserPromptExpansion).toEqual([prompt]);
  });

  test("in the command: a description, a model; at uninstall the file is left to its author", async () => {
    await using box = home();
    const old = copyBinary(relayBinary, join(box.home, "old/relay"));
    await box.run([old, "setup-code"]);
    const own = text(box, paths.command).replace(/^description: .*$/m, "description: mine\nmodel: haiku");
    const path = put(box, paths.command, own);
    await run(box, ["setup-code"]);
    const moved = own.replaceAll(old, relayBinary);
    expect(text(box, paths.command)).toBe(moved);
    expect(await run(box, ["uninstall"])).toContain(
      `  ! ${path} has changes of yours, so it stays. Delete it: without relay it does nothing.`,
    );
    expect(text(box, paths.command)).toBe(moved);
  });

  test("in the registration, also when Claude Code fails in the middle", async () => {
    await using box = home();
    const args = ["--client", "code", "--sound", "off"];
    const own = { ...installed(box).server, command: "/old/relay", args, env: { MINE: "1" } };
    put(box, paths.code, { mcpServers: { relay: own } });
    const program = readFileSync(join(box.programs, "claude"), "utf8");
    const failure = `"mcp add-json") case "$4" in *${relayBinary}*) echo no >&2; exit 1;; esac;`;
    writeFileSync(join(box.programs, "claude"), program.replace('"mcp add-json")', failure));
    const { status, stderr } = await box.relay(["setup-code"]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/`claude mcp add-json relay` failed: .*ended with 1: no\./),
    ]);
    expect(json(box, paths.code).mcpServers.relay).toEqual(own);
    writeFileSync(join(box.programs, "claude"), program);
    await run(box, ["setup-code"]);
    expect(json(box, paths.code).mcpServers.relay).toEqual({
      ...own,
      command: relayBinary,
      args: [...args, "--db", box.buffer],
      env: { ...own.env, ...noBunOptions },
    });
  });
});
