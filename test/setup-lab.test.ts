// `relay setup` and `relay uninstall` with the real Claude Code.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { serverEntry } from "../src/setup/claude-code.ts";
import { claude, hasTerminal, openLab } from "./support/claude-code.ts";
import { relayBinary, sandbox, sendAll } from "./support/sandbox.ts";
import { copyBinary, put } from "./support/setup.ts";

const canMount = Bun.spawnSync(["unshare", "-rm", "true"]).exitCode === 0;

describe.skipIf(!claude)("setup-code", () => {
  test.each([[null], ["elsewhere"]])(
    "in an empty home, CLAUDE_CONFIG_DIR %p: Claude Code shows the server as connected, and none after uninstall",
    async (folder) => {
      await using box = sandbox();
      symlinkSync(claude ?? "", join(box.programs, "claude"));
      const env: Record<string, string> = folder ? { CLAUDE_CONFIG_DIR: join(box.home, folder) } : {};
      expect(await box.relay(["setup-code"], { env })).toMatchObject({ status: 0, stderr: "" });
      const doctor = JSON.parse((await box.relay(["doctor", "--json"], { env })).stdout);
      const server = doctor.checks.find(({ name }: { name: string }) => name === "server of Code");
      expect(server).toMatchObject({ status: "ok", detail: expect.stringContaining("starts and answers") });
      const listed = await box.run(["claude", "mcp", "list"], { env });
      expect(listed.stdout).toMatch(/^relay: .*relay --client code - ✔ Connected$/m);
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
    ["a list without it", settings, { allowedMcpServers: [] }, administrator],
    ["a list with it", settings, { allowedMcpServers: named }, /^ok +server of Code +starts/m],
    ["managed servers", servers, { mcpServers: {} }, administrator],
    ["a list of the person's own", ".claude/settings.json", { deniedMcpServers: named }, /Change that list\./],
    ["managed hooks only", settings, { allowManagedHooksOnly: true }, administrator],
    [
      "a setting that its schema refuses",
      ".claude/settings.json",
      { statusLine: "x" },
      /"statusLine" in \S+ is not an object/,
    ],
    ["a server disabled here", ".claude.json", disabled, /Type \/mcp in/],
    ["a server for the project", "project/.mcp.json", shared, /^ok .*pending approval: /m],
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
      if (sentence.source.startsWith("^ok")) expect(done).not.toContain("warning");
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
        stdin: "The vault opens with xylophone.",
      });
      expect(sent.status).toBe(0);
      const prompt = "Please begin the work of today";
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

describe.skipIf(!hasTerminal)("in the terminal UI", () => {
  test("hooks of a relay that is gone are silent", async () => {
    await using box = sandbox();
    const prompt = "Please begin the work of today";
    const lab = openLab(box, { prompt, replies: [{ text: "answer one" }] });
    rmSync(join(box.programs, "relay"));
    const terminal = await lab.terminal();
    await terminal.enter(prompt);
    await terminal.shows("answer one");
    expect(terminal.screen()).not.toMatch(/hook (error|failed)|ENOENT/i);
  });

  test("/get works with a relay in a folder of any name", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["The vault opens with xylophone."]);
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
