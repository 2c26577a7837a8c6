// `relay setup` and `relay uninstall` with the real Claude Code.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { commandFile, isCommandFile, serverEntry } from "../src/setup/claude-code.ts";
import type { Block } from "./support/claude-api.ts";
import { claude, hasTerminal, oldClaude, openLab } from "./support/claude-lab.ts";
import { relayBinary, sandbox, sendAll } from "./support/sandbox.ts";
import { copyBinary, put } from "./support/setup-box.ts";

const succeeds = (script: string) => Bun.spawnSync(["sh", "-c", script]).exitCode === 0;
const canMount = succeeds("unshare -rm true");
// as Claude Code's sandbox, and many containers allow none
const canSandbox = succeeds(
  "command -v socat && bwrap --ro-bind / / --dev /dev --unshare-net --unshare-pid --proc /proc true",
);

const prompt = "Please begin the work of today";
const secret = "The vault opens with xylophone.";
const bash = (command: string) => ({ call: { name: "Bash", input: { command, description: "look" } } });

describe.skipIf(!claude)("setup-code", () => {
  test.each([[null], ["elsewhere"]])(
    "in an empty home, CLAUDE_CONFIG_DIR %p: Claude Code shows the server as connected, and none after uninstall",
    async (folder) => {
      await using box = sandbox();
      symlinkSync(claude ?? "", join(box.programs, "claude"));
      const config = folder && { CLAUDE_CONFIG_DIR: join(box.home, folder) };
      const env: Record<string, string> = { RELAY_NOTIFY: "auto", ...config }; // another word is kept in the buffer
      expect(await box.relay(["setup-code"], { env })).toMatchObject({ status: 0, stderr: "" });
      const doctor = JSON.parse((await box.relay(["doctor", "--json"], { env })).stdout);
      const server = doctor.checks.find(({ name }: { name: string }) => name === "server of Code");
      expect(server).toMatchObject({ status: "ok", detail: expect.stringContaining("starts and answers") });
      const listed = await box.run(["claude", "mcp", "list"], { env });
      expect(listed.stdout).toMatch(/^relay: .*relay --client code --db .* - ✔ Connected$/m);
      expect((await box.relay(["setup-code"], { env })).stdout).toContain("nothing to change");
      expect(await box.relay(["uninstall"], { env })).toMatchObject({ status: 0, stderr: "" });
      expect((await box.run(["claude", "mcp", "list"], { env })).stdout).toContain("No MCP servers configured");
      // logs of Claude Code, and copies of its own file
      const kept = ["backups", "telemetry", ".cache"].map((name) => `--exclude-dir=${name}`);
      const left = await box.run(["grep", "-rliE", "relay", ".", ...kept]);
      expect(left.stdout).toBe("");
      expect(readdirSync(box.home).filter((name) => name.startsWith(".relay"))).toEqual([]);
    },
  );
});

describe.skipIf(!claude || !canMount)("what Claude Code makes of relay is said by setup and doctor", () => {
  const [settings, servers] = ["/etc/claude-code/managed-settings.json", "/etc/claude-code/managed-mcp.json"];
  const named = [{ serverName: "relay" }];
  const disabled = { projects: { PROJECT: { disabledMcpServers: ["relay"] } } };
  const shared = { mcpServers: { relay: serverEntry("relay") } };
  const administrator = /Only the administrator of this machine can change that\./;
  test.each<[string, string, object, RegExp]>([
    ["a denied server", settings, { deniedMcpServers: named }, administrator],
    ["a drop-in", "/etc/claude-code/managed-settings.d/9.json", { deniedMcpServers: named }, administrator],
    [
      "a hidden drop-in",
      "/etc/claude-code/managed-settings.d/.9.json",
      { deniedMcpServers: named },
      /^ {2}✓ server of/m,
    ],
    ["another command of relay's", settings, { deniedMcpServers: [{ serverCommand: ["relay"] }] }, /^ {2}✓ server of/m],
    [
      "a list of commands",
      settings,
      { allowedMcpServers: [...named, { serverCommand: ["x"] }] },
      /by allowedMcpServers in/,
    ],
    ["a list without it", settings, { allowedMcpServers: [] }, administrator],
    ["a list with it", settings, { allowedMcpServers: named }, /^ {2}✓ server of Code: starts/m],
    ["managed servers", servers, { mcpServers: {} }, administrator],
    ["a list of the person's own", ".claude/settings.json", { deniedMcpServers: named }, /Change that list\./],
    ["managed hooks only", settings, { allowManagedHooksOnly: true }, administrator],
    ["managed rules only", settings, { allowManagedPermissionRulesOnly: true }, administrator],
    [
      "a setting that its schema refuses",
      ".claude/settings.json",
      { statusLine: "x" },
      /"statusLine" in \S+ is not an object/,
    ],
    [
      "another such setting",
      ".claude/settings.json",
      { model: 5 },
      /settings:? +Claude Code says: \S+settings\.json › model: /,
    ],
    ["a server disabled here", ".claude.json", disabled, /Type \/mcp in/],
    ["a server for the project", "project/.mcp.json", shared, /^ {2}✓ server of Code: pending approval: /m],
  ])(
    "%s",
    async (_name, path, content, sentence) => {
      await using box = sandbox();
      symlinkSync(claude ?? "", join(box.programs, "claude"));
      symlinkSync(relayBinary, join(box.programs, "relay"));
      if (!path.includes("project")) expect((await box.relay(["setup-code"])).status).toBe(0);
      const file = path.startsWith("/") ? path : join(box.home, path);
      const old = existsSync(file) ? await Bun.file(file).json() : {};
      const project = join(box.home, "project");
      mkdirSync(project);
      put(box, "new", JSON.stringify({ ...old, ...content }).replace("PROJECT", project));
      // never in the machine's own /etc
      const script = `cd .. && cp -r /etc etc 2>/dev/null; mount --bind etc /etc && mkdir -p "$(dirname "$0")" && cp new "$0" && cd project && exec "$@"`;
      const said = async (verb: string) => {
        const { stdout, stderr } = await box.run(
          ["unshare", "-rm", "sh", "-c", script, file, relayBinary, ...verb.split(" ")],
          {
            cwd: project,
          },
        );
        return stdout + stderr;
      };
      expect(await said("doctor")).toMatch(sentence);
      const done = await said(path.includes("project") ? "setup-code --scope project" : "setup-code");
      if (sentence.multiline) expect(done).not.toContain("  ! ");
      else expect(done).toMatch(sentence);
    },
    60_000,
  );
});

describe.skipIf(!claude)("a buffer that RELAY_DB names", () => {
  // without an ending that Claude Code itself would not read
  test.each(["setup", "plugin"] as const)(
    "is kept from the model's tools as the usual one is, by %s",
    async (wiring) => {
      await using box = sandbox();
      const variables = { RELAY_DB: join(box.home, "my buffers (1)/box") };
      await box.run(["mkdir", "-p", join(variables.RELAY_DB, "..")]);
      const sent = await box.relay(["send", "--to", "code"], {
        env: variables,
        stdin: secret,
      });
      expect(sent.status).toBe(0);
      const lab = openLab(box, {
        wiring,
        prompt,
        variables,
        allow: ["Read", "Bash"],
        replies: [
          { call: { name: "Read", input: { file_path: variables.RELAY_DB } } },
          { call: { name: "Bash", input: { command: `cat '${variables.RELAY_DB}'`, description: "look" } } },
          { call: { name: "Bash", input: { command: "relay status --json", description: "look" } } },
        ],
      });
      await lab.headless(prompt, ["--permission-mode", "default"]);
      expect(lab.api.everything()).not.toContain("xylophone");
      expect(lab.api.everything()).toMatch(
        /denied by your permission settings|relay's file of messages is not for models/,
      );
      // every process of Claude Code's finds the same buffer
      expect(lab.api.everything()).toContain(JSON.stringify(variables.RELAY_DB).slice(1, -1));
      expect(existsSync(box.buffer)).toBe(false);
    },
  );
});

describe("a command file", () => {
  const ours = commandFile("/opt/relay");
  const closed = "disable-model-invocation: true";
  // the text, and whether relay takes it for its own
  const texts: Record<string, [string, boolean]> = {
    standard: [ours, true],
    crlf: [ours.replaceAll("\n", "\r\n"), true],
    "own-words": [ours.replace(/description: .*/, "description: Lies, was (größer)\nmodel: haiku"), true],
    "dashes-in-path": [commandFile("/opt/a---b/relay", "/c---d.db"), true],
    "dashes-in-value": [ours.replace("Read what", "Read --- what"), false],
    "dashes-in-quotes": [ours.replace("again |", "--- |"), false],
    "in-a-block": [ours.replace(closed, `when_to_use: |\n  ${closed}`), false],
    nested: [ours.replace(closed, `metadata:\n  ${closed}`), false],
    twice: [ours.replace(closed, `${closed}\ndisable-model-invocation: false`), false],
    "open-quote": [ours.replace("Read what", '"Read what'), false],
    "line-separator": [ours.replace("Read what", "x\u2028disable-model-invocation: false\u2028y"), false],
    "comment-at-start": [ours.replace("---", "--- # x"), false],
    "blank-before": [`\n${ours}`, false],
  };

  test.each(Object.entries(texts))("%s is relay's or not", (_name, [text, isOurs]) => {
    expect(isCommandFile(text)).toBe(isOurs);
  });

  test.skipIf(!claude)("that relay takes for its own is closed to the model", async () => {
    await using box = sandbox();
    const names = Object.keys(texts);
    const files = Object.fromEntries(names.map((name) => [`.claude/commands/${name}.md`, texts[name]?.[0] ?? ""]));
    const replies = [...names.map((skill) => ({ call: { name: "Skill", input: { skill } } })), { text: "end" }];
    const lab = openLab(box, { wiring: "plugin", prompt, files, replies });
    await lab.headless(prompt, ["--allowedTools", "Skill Bash"]);
    const results = lab.api.shown.at(-1)?.messages.flatMap(({ content }) => content as Block[]) ?? [];
    const answers = results.filter(({ type }) => type === "tool_result").map((block) => JSON.stringify(block));
    const isClosed = answers.map((text) => text.includes("due to disable-model-invocation"));
    expect(Object.fromEntries(names.map((name, index) => [name, isClosed[index]]))).toEqual(
      Object.fromEntries(names.map((name) => [name, texts[name]?.[1]])),
    );
  });
});

// the versions of Claude Code that ignore `args`, or all settings with an event that they do not know
describe.each([
  ["2.1.126", true],
  ["2.1.100", false],
] as const)("Claude Code %s", (version, readsSettings) => {
  const program = oldClaude(version);
  const mine = { hooks: [{ type: "command", command: "echo >>~/mine" }] };
  const settings = JSON.stringify({ hooks: { SessionStart: [mine] } });

  test.skipIf(!program).each(["setup", "plugin"] as const)(
    "by %s runs nothing of a folder's name, and says nothing",
    async (wiring) => {
      await using box = sandbox();
      await sendAll(box, "code", [secret]);
      await box.run(["sh", "-c", 'mkdir .claude && printf %s "$1" >.claude/settings.json', "sh", settings]);
      const folder = "x$(touch PWNED)`touch PWNED`'\";touch PWNED #";
      const options = { wiring, folder, prompt, program: program ?? [], replies: [{ text: "answer one" }] };
      const lab = openLab(box, options);
      const { stdout } = await lab.headless(prompt);
      expect(stdout).toContain("answer one");
      expect(lab.api.everything()).not.toMatch(/xylophone|from Desktop/);
      expect((await box.run(["find", ".", "-name", "PWNED"])).stdout).toBe("");
      expect(existsSync(join(box.home, "mine"))).toBe(readsSettings || wiring === "plugin");
    },
  );
});

describe.skipIf(!hasTerminal)("a project's settings", () => {
  test.each(["setup", "plugin"] as const)(
    "by %s: do not run code in relay's hook; a server is named",
    async (wiring) => {
      await using box = sandbox();
      await sendAll(box, "code", [secret]);
      const env = { RELAY_DB: join(box.home, "project/b.db"), BUN_OPTIONS: `--preload ${box.home}/project/preload.ts` };
      const files = {
        "project/.claude/settings.json": JSON.stringify({
          env: wiring === "setup" ? env : { BUN_OPTIONS: env.BUN_OPTIONS },
        }),
        "project/.claude/settings.local.json": '{"enableAllProjectMcpServers": true}',
        "project/preload.ts": `require("fs").appendFileSync("${box.home}/ran", process.argv.join(" ") + "\\n");`,
        "project/.mcp.json": JSON.stringify({ mcpServers: { relay: { command: "cat" } } }),
      };
      const lab = openLab(box, { wiring, prompt: "/get", files, replies: [{ text: "answer one" }] });
      const terminal = await lab.terminal();
      await terminal.shows("another server called relay, in");
      await terminal.enter("/get");
      await terminal.shows("answer one");
      expect(lab.api.everything()).toContain("xylophone");
      const ran = (await box.run(["sh", "-c", "cat ran 2>/dev/null"])).stdout;
      expect(ran).not.toMatch(/relay hook|serve|--client/);
      expect(existsSync(env.RELAY_DB)).toBe(false);
    },
  );
});

test.skipIf(!hasTerminal || !canSandbox)("setup --sandbox keeps shells from the buffer, not from files", async () => {
  await using box = sandbox();
  const file = put(box, "notes.txt", `zebra ${"x".repeat(9_000)}`);
  await box.relay(["send", "--to", "code", secret, "--file", file]);
  const read = "print(open(__import__('os').path.expanduser('~/.relay_buffer.db'), 'rb').read())";
  const replies = [
    bash(`python3 -c "${read}"`),
    bash("dd if=$HOME/.relay_buffer.db"),
    { text: "answer one" },
    bash("head -c 5 ~/.relay_files/1/notes.txt"),
    { text: "answer two" },
  ];
  const lab = openLab(box, { prompt, setup: ["--sandbox"], allow: ["Bash"], replies });
  const doctor = JSON.parse((await box.relay(["doctor", "--json"])).stdout).checks;
  expect(doctor.find(({ name }: { name: string }) => name === "sandbox")).toMatchObject({ status: "ok" });
  const terminal = await lab.terminal(["--permission-mode", "manual"]);
  await terminal.enter(prompt);
  await terminal.shows("answer one");
  expect(lab.api.everything()).not.toContain("xylophone");
  expect(lab.api.everything()).toMatch(/PermissionError|FileNotFoundError/);
  await terminal.enter("/get");
  await terminal.shows("answer two");
  expect(lab.api.everything()).toContain("xylophone");
  expect(lab.api.everything()).toContain("zebra");
});

describe.skipIf(!hasTerminal)("in the terminal UI", () => {
  test("hooks of a relay that is gone are silent", async () => {
    await using box = sandbox();
    const lab = openLab(box, { prompt, replies: [{ text: "answer one" }] });
    rmSync(join(box.programs, "relay"));
    const terminal = await lab.terminal();
    await terminal.enter(prompt);
    await terminal.shows("answer one");
    expect(terminal.screen()).not.toMatch(/hook (error|failed)|ENOENT/i);
  });

  test("/get works with a relay in a folder of any name", async () => {
    await using box = sandbox();
    await sendAll(box, "code", [secret]);
    const program = copyBinary(relayBinary, join(box.home, "it's a #b: c (86)/relay"));
    const lab = openLab(box, { prompt: "/get", replies: [{ text: "answer one" }] });
    rmSync(join(box.programs, "relay"));
    expect((await box.run([program, "setup-code"])).status).toBe(0);
    const terminal = await lab.terminal();
    await terminal.enter("/get");
    await terminal.shows("answer one");
    expect(lab.api.everything()).toContain("xylophone");
  });
});
