// design.md, "Command line": what goes out where, and with which status.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runWithArguments } from "../src/cli/arguments.ts";
import { defineCommand } from "../src/cli/command.ts";
import { RelayError } from "../src/core/errors.ts";
import { get, relayBinary, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";

const verbs = [
  "serve",
  "send",
  "get",
  "status",
  "clear",
  "doctor",
  "demo",
  "setup",
  "setup-code",
  "setup-desktop",
  "uninstall",
  "completions",
  "typed",
  "hook",
  "statusline",
];

describe("wrong usage exits 2 with one sentence on stderr and nothing on stdout", () => {
  const lines: [args: string[], sentence: string][] = [
    [["frobnicate"], 'unknown command "frobnicate". See: relay --help'],
    [["toString"], 'unknown command "toString". See: relay --help'],
    [["--nope"], "unknown flag --nope. See: relay serve --help"],
    [["-x"], "unknown flag -x. See: relay serve --help"],
    [["status", "--nope"], "unknown flag --nope. See: relay status --help"],
    [["status", "--no-json"], "unknown flag --no-json. See: relay status --help"],
    [
      ["status", "extra"],
      'unexpected argument "extra" (a text of several words needs quotes). See: relay status --help',
    ],
    [
      ["send", "--to", "code", "two", "words"],
      'unexpected argument "words" (a text of several words needs quotes). See: relay send --help',
    ],
    [["send", "--to", "nobody", "x"], '--to is "nobody"; it must be desktop or code. See: relay send --help'],
    [["send", "--to"], "--to needs a value. See: relay send --help"],
    [["send", "--to", "", "x"], '--to is ""; it must be desktop or code. See: relay send --help'],
    [["send", "x"], "nobody is named to send to. Say --to desktop or --to code."],
    [["send", "--to", "code", "--to", "desktop", "x"], "--to is given twice. See: relay send --help"],
    [["send", "--to", "code", "--json=yes", "x"], "--json takes no value. See: relay send --help"],
    [["send", "--to", "code", ""], "message is empty. Give the text to send."],
    [["get"], "nobody is named to get messages for. Say --for desktop or --for code."],
    [["get", "--for="], '--for is ""; it must be desktop or code. See: relay get --help'],
    [
      ["get", "--for", "code", "--limit", "x"],
      'limit is "x"; it must be a whole number from 1 to 20. Leave it out for 5.',
    ],
    [
      ["get", "--for", "code", "--limit", "2.5"],
      'limit is "2.5"; it must be a whole number from 1 to 20. Leave it out for 5.',
    ],
    [["completions"], "no shell is named. Say bash, zsh, fish or powershell."],
    [
      ["completions", "toString"],
      '"toString" is no shell that relay knows. Say bash, zsh, fish or powershell.',
    ],
    [["clear"], "relay clear deletes every message, and nobody is here to ask. Say --yes."],
    [["--client", "both"], '--client is "both"; it must be desktop or code. See: relay serve --help'],
    [["--client", ""], '--client is ""; it must be desktop or code. See: relay serve --help'],
    [["--idle-timeout", "soon"], '--idle-timeout is "soon"; it must be a number of seconds. 0 is never.'],
    [
      ["serve", "code"],
      'unexpected argument "code" (a text of several words needs quotes). See: relay serve --help',
    ],
  ];
  test.each(lines)("relay %j", async (args, sentence) => {
    await using box = sandbox();
    expect(await box.relay(args)).toEqual({ status: 2, stdout: "", stderr: `relay: ${sentence}\n` });
  });

  test("as one line of JSON where JSON was asked for", async () => {
    await using box = sandbox();
    const { status, stdout, stderr } = await box.relay(["get", "--json"]);
    expect([status, stdout, stderr.split("\n").length]).toEqual([2, "", 2]);
    expect(JSON.parse(stderr)).toEqual({ ok: false, error: expect.stringContaining("--for"), code: 2 });
  });

  test("also where citty is the one that refuses, and without its colours", async () => {
    const args = { name: { type: "positional" } } as const;
    const command = defineCommand({ args, subCommands: { known: {} } });
    const thrown = await runWithArguments("greet", command, ["nobody"], null).catch((error) => error);
    expect(thrown).toEqual(new RelayError("usage", "Unknown command nobody. See: relay greet --help"));
  });
});

describe("relay send", () => {
  test("prints a receipt for people, or as JSON", async () => {
    await using box = sandbox();
    expect(await box.relay(["send", "--to", "code", "hello"])).toEqual({
      status: 0,
      stdout: "relay: sent to Code as message 1; 1 waits there.\n",
      stderr: "",
    });
    const { stdout } = await box.relay(["send", "--to", "desktop", "--json", "hello"]);
    expect(JSON.parse(stdout)).toEqual({ ok: true, id: 2, unread: 1, evicted: [], evicted_unread: [] });
    expect((await get(box, "desktop")).messages).toMatchObject([{ id: 2, sender: "code", message: "hello" }]);
  });

  const inputs: [name: string, args: string[], stdin: string | undefined, stored: string][] = [
    ["a pipe", [], "from a pipe\n", "from a pipe\n"],
    ["a pipe named -", ["-"], "from a pipe", "from a pipe"],
    ["an argument, though there is a pipe", ["argument"], "pipe", "argument"],
    ["an argument that looks like a flag, after --", ["--", "--json"], undefined, "--json"],
    ["an argument that looks like a negated flag, after --", ["--", "--no-way"], undefined, "--no-way"],
    ["a pipe with a BOM", [], "\ufeffx", "\ufeffx"],
  ];
  test.each(inputs)("takes its text from %s", async (_name, args, stdin, stored) => {
    await using box = sandbox();
    const sent = await box.relay(["send", "--to", "code", ...args], stdin === undefined ? {} : { stdin });
    expect(sent.status).toBe(0);
    expect((await get(box, "code")).messages.map(({ message }) => message)).toEqual([stored]);
  });

  test("takes a diff from git", async () => {
    await using box = sandbox();
    const script = `git init -q . && echo one >file && git add file && echo two >file && git diff | "$RELAY" send --to desktop`;
    const sent = await box.run(["sh", "-c", script], {
      env: { RELAY: relayBinary, GIT_CONFIG_NOSYSTEM: "1" },
    });
    expect(sent).toMatchObject({
      status: 0,
      stdout: "relay: sent to Desktop as message 1; 1 waits there.\n",
    });
    expect((await get(box, "desktop")).messages[0]?.message).toContain("\n-one\n+two\n");
  });

  test("refuses what is too long, however long, and stores nothing", async () => {
    await using box = sandbox();
    const long = await box.relay(["send", "--to", "code"], { stdin: "x".repeat(70_112) });
    expect(long.stderr).toBe(
      "relay: message is 70,112 bytes; the limit is 65,536. Send it in parts, or save it and send the path.\n",
    );
    const endless = await box.run(["sh", "-c", `yes | "$RELAY" send --to code`], {
      env: { RELAY: relayBinary },
    });
    expect(endless).toMatchObject({ status: 1, stderr: expect.stringContaining("message is over 16 MB") });
    expect(existsSync(box.buffer)).toBe(false);
  });

  test("says what was dropped for it", async () => {
    await using box = sandbox();
    await sendAll(
      box,
      "code",
      Array.from({ length: 20 }, (_, n) => `${n}`),
    );
    expect((await box.relay(["send", "--to", "code", "x"])).stdout).toBe(
      "relay: sent to Code as message 21; 20 wait there.\nrelay: 1 unread message was dropped because the buffer was full (1).\n",
    );
  });
});

describe("relay get", () => {
  test("shows a framed page and marks it", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one", "two"]);
    const { stdout } = await box.relay(["get", "--for", "code", "--limit", "1"]);
    expect(stdout).toStartWith(
      "relay: 1 message from Desktop, 1 more waiting. Asked for on the command line.\n",
    );
    expect(stdout).toEndWith(" end of message 1\n");
    expect((await get(box, "code")).messages.map(({ id }) => id)).toEqual([2]);
    expect((await box.relay(["get", "--for", "code"])).stdout).toBe("relay: nothing new from Desktop.\n");
  });

  test("--json has every documented field, and texts byte for byte", async () => {
    await using box = sandbox();
    const text = 'a\u0000\u001b[31m\u202e"\\\r\n';
    await sendAll(box, "code", [text]);
    const page = await get(box, "code");
    expect(page).toMatchObject({
      messages: [
        {
          id: 1,
          sender: "desktop",
          message: text,
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          read_by_desktop_at: null,
          read_by_code_at: null,
          maybe_shown: false,
        },
      ],
      remaining: 0,
      dropped: [],
    });
  });

  test("--all also shows what was read", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one", "two"]);
    await get(box, "code", "--peek");
    await box.relay(["get", "--for", "code", "--limit", "1"]);
    const { messages } = await get(box, "code", "--all");
    expect(messages.map(({ id }) => id)).toEqual([1, 2]);
  });

  test("tells of what was dropped and cleared", async () => {
    await using box = sandbox();
    await sendAll(
      box,
      "code",
      Array.from({ length: 22 }, (_, n) => `${n}`),
    );
    expect((await get(box, "code", "--peek")).dropped).toEqual([1, 2]);
    expect((await get(box, "code")).dropped).toEqual([1, 2]);
    await sendAll(box, "code", ["x"]);
    expect((await box.relay(["clear", "--yes"])).stdout).toBe("relay: deleted 20, of which 1 unread.\n");
    expect(await get(box, "code")).toMatchObject({ messages: [], dropped: [], cleared: [23] });
    expect((await box.relay(["get", "--for", "desktop"])).stdout).toBe(
      "relay: nothing new from Code.\nrelay: 1 message you sent was cleared unread on the command line.\n",
    );
  });
});

test("relay status counts, and shows no text", async () => {
  await using box = sandbox();
  const empty = { buffer: box.buffer, total: 0, unread: { desktop: 0, code: 0 }, latest: null };
  expect(JSON.parse((await box.relay(["status", "--json"])).stdout)).toEqual(empty);
  await sendAll(box, "code", ["secret one", "secret two"]);
  await box.relay(["get", "--for", "code", "--limit", "1"]);
  const json = (await box.relay(["status", "--json"])).stdout;
  expect(JSON.parse(json)).toEqual({
    buffer: box.buffer,
    total: 2,
    unread: { desktop: 0, code: 1 },
    latest: { id: 2, sender: "desktop", timestamp: expect.any(String) },
  });
  const shown = (await box.relay(["status"])).stdout;
  expect(shown).toMatch(/^waiting for Code +1$/m);
  expect(json + shown).not.toContain("secret");
});

describe("inside Claude Code", () => {
  const inside = [{ CLAUDE_CODE_CHILD_SESSION: "1" }, { CLAUDECODE: "1" }];
  test.each(inside)(
    "%j: get, clear and send --to code exit 3 and change nothing; send goes to Desktop",
    async (env) => {
      await using box = sandbox();
      await sendAll(box, "code", ["not for the model"]);
      for (const args of [
        ["get", "--for", "code"],
        ["get", "--for", "desktop"],
        ["get", "--for", "code", "--peek", "--json"],
        ["clear", "--yes"],
        ["send", "--to", "code", "x"],
      ]) {
        const refused = await box.relay(args, { env: env as Record<string, string> });
        expect([args, refused.status, refused.stdout]).toEqual([args, 3, ""]);
        expect(refused.stderr).toContain("only the person may pull");
        expect(refused.stderr).not.toContain("not for the model");
      }
      expect((await box.relay(["send", "hello"], { env: env as Record<string, string> })).stdout).toContain(
        "sent to Desktop",
      );
      expect((await get(box, "code")).messages).toHaveLength(1);
    },
  );
});

describe("on a terminal", () => {
  /** Runs a command on a terminal of its own, with `script`, and answers what the terminal showed. */
  async function onTerminal(box: Sandbox, command: string, typed = "", env: Record<string, string> = {}) {
    const { stdout } = await box.run(["script", "-qefc", command, "/dev/null"], {
      stdin: typed,
      env: { TERM: "xterm", ...env },
    });
    return stdout.replaceAll("\r", "");
  }

  test.skipIf(!Bun.which("script"))("a bare relay hints instead of waiting", async () => {
    await using box = sandbox();
    expect(await onTerminal(box, relayBinary)).toContain("On a terminal, try: relay status");
  });

  test.skipIf(!Bun.which("script"))("colour is there, unless NO_COLOR says otherwise", async () => {
    await using box = sandbox();
    expect(await onTerminal(box, `${relayBinary} status`)).toContain("\u001b[1m0\u001b[22m");
    expect(await onTerminal(box, `${relayBinary} status`, "", { NO_COLOR: "1" })).not.toContain("\u001b");
    expect((await box.relay(["status"])).stdout).not.toContain("\u001b");
  });

  test.skipIf(!Bun.which("script"))("clear asks, and takes nothing but yes for an answer", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one"]);
    expect(await onTerminal(box, `${relayBinary} clear`, "no\n")).toContain("nothing was deleted");
    expect((await get(box, "code", "--peek")).messages).toHaveLength(1);
    expect(await onTerminal(box, `${relayBinary} clear`, "yes\n")).toContain("deleted 1, of which 1 unread");
  });

  test.skipIf(!Bun.which("script"))(
    "CLAUDECODE=1 alone does not stop a person in an editor's terminal",
    async () => {
      await using box = sandbox();
      await sendAll(box, "code", ["one"]);
      expect(await onTerminal(box, `${relayBinary} get --for code`, "", { CLAUDECODE: "1" })).toContain(
        "1 message from Desktop",
      );
    },
  );
});

describe("help and version", () => {
  test("--version prints the version alone", async () => {
    await using box = sandbox();
    const { version } = await Bun.file(join(import.meta.dir, "../package.json")).json();
    expect(await box.relay(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("--help names every verb, and every verb has help", async () => {
    await using box = sandbox();
    const overview = await box.relay(["--help"]);
    expect(overview).toMatchObject({ status: 0, stderr: "" });
    for (const verb of verbs) {
      expect(overview.stdout).toMatch(new RegExp(`^ +${verb} {2,}\\S`, "m"));
      const help = await box.relay([verb, "--help"]);
      expect(help).toMatchObject({ status: 0, stderr: "" });
      expect(help.stdout).toContain(`USAGE relay ${verb}`);
      expect(help.stdout).not.toContain("\u001b");
    }
  });
});

describe("relay demo", () => {
  test.each([
    {},
    { CLAUDECODE: "1", CLAUDE_CODE_CHILD_SESSION: "1", CLAUDE_PID: "1", CLAUDE_CODE_SESSION_ATTENDED: "0" },
  ])("with %j moves a message each way and leaves nothing behind", async (env) => {
    await using box = sandbox();
    const demo = await box.relay(["demo"], { env: env as Record<string, string> });
    expect(demo).toMatchObject({ status: 0, stderr: "" });
    expect(demo.stdout).toEndWith("relay works: a message went each way, and each arrived once.\n");
    expect(readdirSync(box.home)).toEqual([]);
  });

  test("--json prints the transcript", async () => {
    await using box = sandbox();
    const { ok, transcript } = JSON.parse((await box.relay(["demo", "--json"])).stdout);
    expect(ok).toBe(true);
    expect(
      transcript.map(({ client, tool }: { client: string; tool: string }) => `${client} ${tool}`),
    ).toEqual(["desktop relay_send", "code relay_fetch", "code relay_send", "desktop relay_fetch"]);
  });
});

// Promise 5 where somebody else's files lie around: the current directory is hostile.
test("nothing is loaded from the directory relay is started in", async () => {
  await using box = sandbox();
  const trap = join(box.home, "trap");
  const hostile = join(box.home, "hostile");
  const spring = `require("node:fs").writeFileSync(${JSON.stringify(trap)}, "sprung");`;
  const files: Record<string, string> = {
    "bunfig.toml": 'preload = ["./preload.js"]\n[run]\nbun = true\n[test]\npreload = ["./preload.js"]\n',
    "preload.js": spring,
    ".env": `RELAY_DB=${box.home}/stolen.db\nNO_COLOR=1\n`,
    ".env.production": `RELAY_DB=${box.home}/stolen.db\n`,
    "package.json": '{"name":"relay","version":"6.6.6","main":"preload.js","imports":{"#x":"./preload.js"}}',
    "tsconfig.json": '{"compilerOptions":{"paths":{"*":["./preload.js"]},"jsxImportSource":"./preload.js"}}',
    "index.js": spring,
    "main.js": spring,
  };
  for (const name of ["citty", "zod", "@modelcontextprotocol/sdk", "bun", "ajv", "node:fs"]) {
    files[`node_modules/${name}/package.json`] = '{"main":"index.js"}';
    files[`node_modules/${name}/index.js`] = spring;
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(hostile, path, ".."), { recursive: true });
    await Bun.write(join(hostile, path), text);
  }
  for (const args of [
    ["send", "--to", "code", "x"],
    ["status"],
    ["get", "--for", "code"],
    ["demo"],
    ["--version"],
    ["--help"],
  ]) {
    const run = await box.relay(args, { cwd: hostile });
    expect([args, run.status, run.stderr]).toEqual([args, 0, ""]);
    expect(run.stdout).not.toContain("6.6.6");
  }
  const serve = await box.relay(["--client", "code"], {
    cwd: hostile,
    stdin: '{"jsonrpc":"2.0","id":1,"method":"ping"}\n',
  });
  expect(serve).toMatchObject({ status: 0, stdout: '{"result":{},"jsonrpc":"2.0","id":1}\n' });
  expect(existsSync(trap)).toBe(false);
  expect(existsSync(join(box.home, "stolen.db"))).toBe(false);
  expect(existsSync(box.buffer)).toBe(true);
});
