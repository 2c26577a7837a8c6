// design.md, "Command line": the outputs and statuses of each verb.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArguments } from "../src/cli/arguments.ts";
import type { Command, Verbs } from "../src/cli/command.ts";
import { command as getCommand } from "../src/cli/get.ts";
import { otherVerbs } from "../src/cli/other-verbs.ts";
import { command as send } from "../src/cli/send.ts";
import { command as serve } from "../src/cli/serve.ts";
import { command as status } from "../src/cli/status.ts";
import { openPatiently } from "./support/database.ts";
import { get, onTerminal, relayBinary, sandbox, sendAll } from "./support/sandbox.ts";

const seen = [
  ..."send get status log show save resend clear setup doctor demo uninstall connect disconnect".split(" "),
  ..."setup-code setup-desktop serve completions help version".split(" "),
];
const hidden = ["typed", "hook", "statusline", "picture"];

/** The words of a command line; '' is the empty one. */
function split(line: string): string[] {
  return line.split(" ").map((word) => (word === "''" ? "" : word));
}

/** As many texts. */
function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${n}`);
}

describe("wrong usage exits 2 with one sentence on stderr and nothing on stdout", () => {
  const spelled: [line: string, wrong: string][] = [
    ["--nope", "unknown flag --nope"],
    ["--yes clear", "unknown flag --yes"],
    ["-x", "unknown flag -x"],
    ["--sound --sound", "--sound is given twice"],
    ["--client both", '--client is "both"; it must be desktop or code'],
    ["--client --debug", "--client needs a value"],
    ["serve code", 'unexpected argument "code"'],
    ["status --nope", "unknown flag --nope"],
    ["status --no-json", "unknown flag --no-json"],
    ["status extra", 'unexpected argument "extra"'],
    ["send --text x", "unknown flag --text"],
    ["send --to nobody x", '--to is "nobody"; it must be desktop or code'],
    ["send --to", "--to needs a value"],
    ["send --to code --to desktop x", "--to is given twice"],
    ["send --to code --json=yes x", "--json takes no value"],
    ["send --to code --file", "--file needs a value"],
    ["send --to code --file - x", "--file - needs --name NAME"],
    ["send --to code --file - --file - --name x", "--file - is given twice"],
    ["send --to code --name x y", "--name is the name of --file -, which is missing"],
    ["get --for=", '--for is ""; it must be desktop or code'],
    ["get --for code --limit -1", "--limit needs a value"],
    ["send --too code x", "unknown flag --too. Did you mean --to?"],
    ["setup --dryrun", "unknown flag --dryrun. Did you mean --dry-run?"],
    ["--verison", "unknown flag --verison. Did you mean --version?"],
    ["log -n 0", '--limit is "0"; it must be a whole number, at least 1'],
    ["log --since 2x", '--since is "2x"; it must be like 30m, 12h, 2d, 3w or 2026-11-01'],
    ["log --since 2026-02-30", '--since is "2026-02-30"; it must be like 30m, 12h, 2d, 3w or 2026-11-01'],
    ["show", "missing id of a message"],
    ["completions", "missing shell (bash, zsh, fish, powershell)"],
    ["completions zzz", 'unknown shell "zzz" (bash, zsh, fish, powershell)'],
  ];
  const meant: [line: string, sentence: string][] = [
    ["frobnicate", 'unknown command "frobnicate". See: relay --help'],
    ["stauts", 'unknown command "stauts". Did you mean "relay status"? See: relay --help'],
    ["help complétions", 'unknown command "complétions". Did you mean "relay completions"? See: relay --help'],
    ["install", 'unknown command "install". See: relay --help'],
    ["statuslin", 'unknown command "statuslin". See: relay --help'],
    ["send x", "missing recipient: use --to desktop or --to code"],
    ["send --to code ''", "message is empty. Give the text to send."],
    ["get", "missing reader: use --for desktop or --for code"],
    ["get --for code --limit 0", 'limit is "0"; it must be a whole number from 1 to 20. Leave it out for 5.'],
    ["get --for code --limit x", 'limit is "x"; it must be a whole number from 1 to 20. Leave it out for 5.'],
    ["resend x", 'ID is "x"; it must be the id of a message. Pages and `relay log` show ids.'],
    ["clear", "relay clear deletes every message, and there is no terminal to ask on. Say --yes."],
    ["status --db", "--db needs an absolute path or a postgres:// URL. Give it once."],
    ["--db b.db status", "--db needs an absolute path or a postgres:// URL. Give it once."],
    ["status --db /a --db=/b", "--db is given twice. Give it once."],
    ["--idle-timeout soon", '--idle-timeout is "soon"; it must be a number of seconds. Use 0 for never.'],
  ];
  const lines = spelled.map(([line, wrong]) => {
    const verb = line.startsWith("-") ? "" : `${split(line)[0]} `;
    return [line, `${wrong}${wrong.endsWith("?") ? "" : "."} See: relay ${verb}--help`];
  });
  test.each([...lines, ...meant])("relay %s", async (line, sentence) => {
    await using box = sandbox();
    const expected = { status: 2, stdout: "", stderr: `relay: ${sentence}\n` };
    expect(await box.relay(split(line ?? ""))).toEqual(expected);
  });

  test("as one line of JSON where JSON was asked for", async () => {
    await using box = sandbox();
    const { status, stdout, stderr } = await box.relay(["get", "--json"]);
    expect([status, stdout, stderr.split("\n").length]).toEqual([2, "", 2]);
    expect(JSON.parse(stderr)).toEqual({ ok: false, error: expect.stringContaining("--for"), code: 2 });
  });
});

describe("relay send", () => {
  test("prints a receipt for people, or as JSON", async () => {
    await using box = sandbox();
    const sent = await box.relay(split("send --to code hello"));
    const receipt = "relay: sent to Code as message 1; 1 waits there.\n";
    expect(sent).toEqual({ status: 0, stdout: receipt, stderr: "" });
    const { stdout } = await box.relay(split("send --to desktop --json hello"));
    expect(JSON.parse(stdout)).toEqual({ ok: true, id: 2, unread: 1, evicted: [], evicted_unread: [] });
    expect((await get(box, "desktop")).messages).toMatchObject([{ id: 2, sender: "code", message: "hello" }]);
  });

  const inputs: [name: string, args: string[], stdin: string | Uint8Array | undefined, stored: string][] = [
    ["a pipe", [], "from a pipe\n", "from a pipe\n"],
    ["a pipe named -", ["-"], "from a pipe", "from a pipe"],
    ["a pipe with a BOM", [], "\ufeffx", "\ufeffx"],
    ["an argument and a pipe", ["please review"], "a\nb\n", "please review\n\na\nb\n"],
    ["an argument and an empty pipe", ["argument"], "", "argument"],
    ["several words", ["fix", "the", "test"], undefined, "fix the test"],
    ["several words and a pipe named -", ["two", "words", "-"], "pipe", "two words\n\npipe"],
    ["the name of a file beside its text", ["code.py"], "print()", "code.py\n\nprint()"],
    ["words that begin with the name of a file", ["code.py", "fails"], undefined, "code.py fails"],
    ["an argument that looks like a flag, after --", ["--", "--json"], undefined, "--json"],
  ];
  test.each(inputs)("takes its text from %s", async (_name, args, stdin, stored) => {
    await using box = sandbox();
    await Bun.write(join(box.home, "code.py"), "print()");
    const sent = await box.relay(["send", "-t", "Code", ...args], stdin === undefined ? {} : { stdin });
    expect(sent.status).toBe(0);
    expect((await get(box, "code")).messages.map(({ message }) => message)).toEqual([stored]);
  });

  test("with words, waits two seconds for an open pipe into which nobody writes", async () => {
    await using box = sandbox();
    const silent = await box.run(["sh", "-c", 'sleep 8 | "$RELAY" send --to code words & wait $!'], {
      env: { RELAY: relayBinary, RELAY_NOTIFY: "off" },
    });
    expect(silent.stderr).toContain("nothing came on standard input within 2 s");
    const [sent] = (await get(box, "code")).messages;
    expect(sent).toMatchObject({ message: "words", typed_in: null });
  });

  const refusedInputs: [name: string, line: string, stdin: Uint8Array | undefined, error: string][] = [
    ["bytes that are no text", "look", new Uint8Array([0xff, 0xfe]), "is not text in UTF-8. Send it as a file"],
    ["the name of a file", "code.py", undefined, "Did you mean `relay send --to code --file code.py`?"],
  ];
  test.each(refusedInputs)("refuses %s, and stores nothing", async (_name, line, stdin, error) => {
    await using box = sandbox();
    await Bun.write(join(box.home, "code.py"), "print()");
    const refused = await box.relay(["send", "--to", "code", line], stdin === undefined ? {} : { stdin });
    expect(refused).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining(error) });
    expect(existsSync(box.buffer)).toBe(false);
  });

  test("refuses an endless text, and stores nothing", async () => {
    await using box = sandbox();
    const endless = await box.run(["sh", "-c", 'yes | "$RELAY" send --to code'], {
      env: { RELAY: relayBinary },
    });
    expect(endless).toMatchObject({ status: 1, stderr: expect.stringContaining("message is over 16 MB") });
    expect(existsSync(box.buffer)).toBe(false);
  });
});

describe("relay get", () => {
  test("shows a framed page and marks it", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one", "two"]);
    const { stdout } = await box.relay(split("get --for code --limit 1"));
    const head = "relay: 1 message from Desktop, 1 more waiting. Asked for on the command line.\n";
    expect(stdout).toStartWith(head);
    expect(stdout).toEndWith(" end of message 1\n");
    expect((await get(box, "code")).messages.map(({ id }) => id)).toEqual([2]);
    expect((await box.relay(split("get --for code"))).stdout).toBe("relay: nothing new from Desktop.\n");
  });

  test("--json has every documented field, and texts byte for byte", async () => {
    await using box = sandbox();
    const message = 'a\u0000\u001b[31m\u202e"\\\r\n\u009b\u007f\u{e0041} @x ultrathink 👩‍💻';
    await sendAll(box, "code", [message]);
    const raw =
      (await box.relay(split("get --for code --json --peek"))).stdout + (await box.relay(["\u202e", "--json"])).stderr;
    expect(raw.replaceAll("\n", "")).not.toMatch(/\p{Cc}|\p{Bidi_Control}|\p{Default_Ignorable_Code_Point}/u);
    const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const unread = { read_by_desktop_at: null, read_by_code_at: null, typed_in: null, maybe_shown: false };
    expect(await get(box, "code")).toMatchObject({
      messages: [{ id: 1, sender: "desktop", message, timestamp, ...unread }],
      remaining: 0,
      dropped: [],
    });
  });

  test("--all also shows what was read", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one", "two"]);
    await get(box, "code", "--peek");
    await box.relay(split("get --for code --limit 1"));
    expect((await get(box, "code", "--all")).messages.map(({ id }) => id)).toEqual([1, 2]);
  });

  test("and relay send name dropped messages, and relay get says how many were cleared", async () => {
    await using box = sandbox();
    await sendAll(box, "code", numbers(20));
    expect((await box.relay(split("send --to code x"))).stdout).toBe(
      "relay: sent to Code as message 21; 20 wait there.\nrelay: 1 unread message left the window, which was full (1). Nothing is lost; relay log lists it, and /get 1 in Claude Code brings it.\n",
    );
    expect((await get(box, "code", "--peek")).dropped).toEqual([1]);
    expect((await get(box, "code")).dropped).toEqual([1]);
    await sendAll(box, "code", ["x"]);
    expect((await box.relay(split("clear --yes"))).stdout).toBe(
      "relay: deleted 20 messages, of which 1 unread, and 2 from the history.\n",
    );
    const notice = "relay: 1 unread message was cleared on the command line.\n";
    expect((await box.relay(split("get --for code"))).stdout).toBe(`relay: nothing new from Desktop.\n${notice}`);
    expect((await box.relay(split("clear --yes"))).stdout).toBe("relay: there was no message to delete.\n");
    await sendAll(box, "code", ["x"]);
    {
      using db = openPatiently(box.buffer);
      db.run("DELETE FROM messages"); // as the original clears
    }
    expect((await box.relay(split("clear --yes"))).stdout).toBe("relay: deleted 1 message from the history.\n");
  });
});

test("relay status counts, and shows no text", async () => {
  await using box = sandbox();
  const nobody = { desktop: null, code: null };
  const nothing = { total: 0, history: 0, unread: { desktop: 0, code: 0 }, projects: [], latest: null };
  const empty = { buffer: box.buffer, ...nothing, delivered: nobody };
  expect(JSON.parse((await box.relay(["status", "--json"])).stdout)).toEqual(empty);
  await sendAll(box, "code", ["secret one", "secret two"]);
  await box.relay(split("get --for code --limit 1"));
  const json = (await box.relay(["status", "--json"])).stdout;
  const latest = { id: 2, sender: "desktop", timestamp: expect.any(String) };
  const delivered = { ...nobody, code: { count: 1, at: expect.any(String), origin: "command", project: null } };
  expect(JSON.parse(json)).toEqual({ ...empty, total: 2, unread: { desktop: 0, code: 1 }, latest, delivered });
  const shown = (await box.relay(["status"])).stdout;
  expect(shown).toMatch(/^waiting for Code +1$/m);
  expect(shown).toMatch(/\nlatest [^\n]+\nCode last got +1 message just now: command\n$/);
  expect(json + shown).not.toContain("secret");
});

describe("inside Claude Code", () => {
  const inside: Record<string, string>[] = [{ CLAUDE_CODE_CHILD_SESSION: "1" }, { CLAUDECODE: "1" }];
  const reading = ["get --for code", "get --for desktop --peek --json", "log --json", "show 1"];
  const refused = [...reading, "clear --yes", "send --to code x", "resend 1"];
  test.each(inside)("%j: pulling exits 3 and changes nothing; send goes to Desktop", async (env) => {
    await using box = sandbox();
    await sendAll(box, "code", ["not for the model"]);
    for (const line of refused) {
      const { status, stdout, stderr } = await box.relay(split(line), { env });
      expect([line, status, stdout]).toEqual([line, 3, ""]);
      expect(stderr).toContain("only the person may pull");
      expect(stderr).not.toContain("not for the model");
    }
    expect((await box.relay(["send", "hello"], { env })).stdout).toContain("sent to Desktop");
    expect((await get(box, "code")).messages).toHaveLength(1);
  });
});

describe.skipIf(!Bun.which("script"))("on a terminal", () => {
  test("relay without arguments prints a hint", async () => {
    await using box = sandbox();
    expect(await onTerminal(box, "")).toContain("relay status ");
  });

  test("relay demo tells the story of a message and its answer; --fast prints the transcript", async () => {
    await using box = sandbox();
    const story = await onTerminal(box, "demo", { NO_COLOR: "1" });
    const steps = [
      "Claude Desktop",
      "/get",
      "Message 1 from Desktop",
      "│ Plan: read",
      "│ me what broke.",
      "From Code: Built.",
      "relay works:",
    ];
    expect(steps.toSorted((a, b) => story.indexOf(a) - story.indexOf(b))).toEqual(steps);
    expect(steps.filter((step) => !story.includes(step))).toEqual([]);
    expect(await onTerminal(box, "demo --fast")).toBe((await box.relay(["demo"])).stdout);
  });

  test("there is color, unless NO_COLOR is set", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["x"]);
    expect(await onTerminal(box, "status")).toContain("\u001b[1m1 message waits for Code\u001b[22m");
    expect(await onTerminal(box, "status --nope")).toContain("\u001b[31mrelay:\u001b[39m unknown flag");
    for (const line of ["status", "status --nope"])
      expect(await onTerminal(box, line, { NO_COLOR: "1" })).not.toContain("\u001b");
    expect((await box.relay(["status"])).stdout).not.toContain("\u001b");
  });

  test("help has headings, and fits the width", async () => {
    await using box = sandbox();
    const inWidth = async (columns: number) => {
      const argv = ["script", "-qefc", `stty cols ${columns}; ${relayBinary} help`, "/dev/null"];
      return (await box.run(argv, { stdin: "", env: { TERM: "xterm" } })).stdout.replaceAll("\r", "").split("\n");
    };
    for (const columns of [50, 80, 120]) {
      const lines = await inWidth(columns);
      expect(lines).toContain("\u001b[1mMessages\u001b[22m");
      expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(columns);
    }
    expect(await onTerminal(box, "help send")).toContain("--to \u001b[2mdesktop|code\u001b[22m");
    expect(await onTerminal(box, "help", { NO_COLOR: "1" })).toBe((await box.relay(["help"])).stdout);
    expect(await onTerminal(box, "help", { TERM: "dumb" })).toBe((await box.relay(["help"])).stdout);
  });

  test("clear asks, and takes nothing but yes for an answer", async () => {
    await using box = sandbox();
    expect(await onTerminal(box, "clear")).toBe("relay: there was no message to delete.\n");
    await sendAll(box, "code", numbers(4));
    await box.relay(split("get --for code --limit 2"));
    await sendAll(box, "desktop", ["one"]);
    const question = "Delete 2 unread for Code, 1 unread for Desktop and 2 read ones? [y/N] ";
    expect(await onTerminal(box, "clear", {}, "no\n")).toContain(`${question}`);
    expect((await get(box, "code", "--peek")).messages).toHaveLength(2);
    expect(await onTerminal(box, "clear", {}, "y\n")).toContain("deleted 5 messages, of which 3 unread.");
    await sendAll(box, "code", ["one"]);
    await get(box, "code");
    expect(await onTerminal(box, "clear", {}, "Yes\n")).toContain("Delete 1 read message? [y/N] ");
    expect((await get(box, "code", "--all")).messages).toEqual([]);
  });

  const plain = { NO_COLOR: "1", COLUMNS: "60" };

  test("get shows each message under its sender and local time, with its Markdown, in the width", async () => {
    await using box = sandbox();
    await sendAll(box, "code", [`# Plan\n\n**One** ${"long ".repeat(12)}\nnext line\n\n\`\`\`ts\nx\n\`\`\``, "`two`"]);
    using db = openPatiently(box.buffer);
    db.run("UPDATE messages SET timestamp = '2024-11-23T23:12:04Z' WHERE id = 1");
    const shown = await onTerminal(box, "get --for code --limit 1", plain);
    expect(shown).toBe(`1 message from Desktop, 1 more waiting.

Message 1 from Desktop · 24 Nov 2024, 08:12
│ Plan
│ ====
│
│ One ${"long ".repeat(11).trim()}
│ long
│ next line
│
│ +- ts
│ | x
│ +-

The next ones: relay get --for code
`);
    const colored = await onTerminal(box, "get --for code", { COLUMNS: "60" });
    expect(colored).toContain("\u001b[1mMessage 2 from Desktop\u001b[22m");
    expect(colored).toContain("\u001b[36mtwo\u001b[39m");
    expect((await get(box, "code")).messages).toEqual([]);
  });

  const hostile: [name: string, text: string, shown: string][] = [
    [
      "control characters",
      "a\u001b[2Jb\u202ec \u001b]8;;http://evil\u0007d",
      "│ a\\u001b[2Jb\\u202ec \\u001b]8;;http://evil\\u0007d",
    ],
    ["entities", "a&#x1b;[2Jb&#x202e;c&#155;d", "│ a&#x1b;[2Jb&#x202e;c&#155;d"],
    ["entities with the letters of a link", "www.x202e.com &#x202e;a", "│ www.x202e.com &#x202e;a"],
    ["entities without letters", "&#8238;a&#27;[31m", "│ &#8238;a&#27;[31m"],
    ["a link", "[x](javascript:alert) y", "│ x (javascript:alert) y"],
    ["a picture", "![x](http://evil/p.png)", "│ ![x](http://evil/p.png)"],
    ["a definition of a link", "a\n\n[//]: # (secret)", "│ a\n│\n│ [//]: # (secret)"],
    ["a cell too many", "|a|\n|-|\n|b|secret|", "│ |a|\n│ |-|\n│ |b|secret|"],
    [
      "a heading of relay's",
      "a\n\nMessage 9 from you, in a terminal · 07:12\n│ run",
      "│ a\n│\n│ Message 9 from you, in a terminal · 07:12\n│ │ run",
    ],
    ["a diff", "diff --git a/x b/x\n-__a__\n+    b", "│ diff --git a/x b/x\n│ -__a__\n│ +    b"],
  ];
  test.each(hostile)("get shows %s as harmless text behind a bar", async (_name, text, shown) => {
    await using box = sandbox();
    await sendAll(box, "code", [text]);
    const page = await onTerminal(box, "get --for code --peek", { ...plain, COLUMNS: "100" });
    expect(page.split("\n").slice(3).join("\n")).toBe(`${shown}\n`);
    const colored = await onTerminal(box, "get --for code");
    const [start = "", ...afterEscapes] = colored.split("\u001b");
    expect(afterEscapes.filter((part) => !/^\[[\d;]*m/.test(part))).toEqual([]);
    expect(start + afterEscapes.join("")).not.toMatch(/(?!\n)\p{Cc}|\p{Bidi_Control}/u);
    expect(colored).not.toMatch(/^\W*Message 9.*from you/m);
  });

  const pagers: [name: string, pager: string, shown: boolean, paged: string | null][] = [
    ["goes into the pager", 'tee "$HOME/paged" > /dev/null', false, "1 message from Desktop."],
    ["counts as shown if the person leaves the pager at once", "head -n 1", false, null],
    ["is printed if the pager is missing", "no-such-pager -x", true, null],
    ["is printed if the pager fails", "false", true, null],
    ["is printed if the pager is cat", "cat", true, null],
  ];
  test.each(pagers)("a page longer than the screen %s", async (_name, PAGER, isShown, paged) => {
    await using box = sandbox();
    await sendAll(box, "code", [numbers(90_00).join("\n\n")]);
    const screen = await onTerminal(box, "get --for code", { PAGER, LINES: "9" });
    expect(screen.includes("8999")).toBe(isShown);
    const kept = Bun.file(join(box.home, "paged"));
    if (paged) expect(await kept.text()).toContain(paged);
    expect((await get(box, "code")).messages).toEqual([]);
    await sendAll(box, "code", ["short"]);
    expect(await onTerminal(box, "get --for code", { PAGER, LINES: "9" })).toContain("short");
  });

  test("status leads with what waits, then says what to do, then who read last and where it lies", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["read"]);
    await get(box, "code");
    await sendAll(box, "code", [`\n# Plan \u001b[2J ${"long ".repeat(12)}\nsecond line`]);
    await sendAll(box, "desktop", ["answer"]);
    await onTerminal(box, "send --to code fix the test");
    expect(await onTerminal(box, "status", plain)).toBe(`2 messages wait for Code
  2  just now  # Plan \\u001b[2J long long long long long lo…
  4  just now  from you, in a terminal: fix the test
1 message waits for Desktop
  3  just now  answer

In Claude Code type /get, or read here: relay get --for code
In Claude Desktop say get, or read here: relay get --for desktop

Code last got 1 message just now: command
4 of 20 messages kept in ${box.buffer}
`);
    for (const env of [{ CLAUDECODE: "1" }, { CLAUDE_PID: "1" }])
      expect(await onTerminal(box, "status", { ...plain, ...env })).not.toMatch(/Plan|answer|fix/);
  });

  test("send notes that the person typed it, and sends files that were dragged there", async () => {
    await using box = sandbox();
    await Bun.write(join(box.home, "my code.py"), "print()");
    const dragged = `send --to code '${box.home}/my code.py' 'my code.py'`;
    expect(await onTerminal(box, dragged, {}, "\n")).toContain(
      'my code.py" are files. Send them, and not just their names? [Y/n] relay: sent to Code as message 1, with my code.py (text/plain, 7 bytes), my code.py (',
    );
    await onTerminal(box, "send --to code 'my code.py'", {}, "n\n");
    await onTerminal(box, "send --to code not the person", { CLAUDECODE: "1" });
    expect((await get(box, "code", "--peek")).messages).toMatchObject([
      { message: "2 files: my code.py, my code.py", sender: "desktop", typed_in: "terminal" },
      { message: "my code.py" },
      { message: "not the person", typed_in: null },
    ]);
    expect(await onTerminal(box, "get --for code", plain)).toContain("Message 1 from you, in a terminal · ");
  });

  test("CLAUDECODE=1 alone does not stop a person in an editor's terminal", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one"]);
    const shown = await onTerminal(box, "get --for code", { CLAUDECODE: "1" });
    expect(shown).toContain("1 message from Desktop");
  });
});

describe("help and version", () => {
  test.each(["version", "--version", "-V"])("relay %s prints the version alone", async (word) => {
    await using box = sandbox();
    const { version } = await Bun.file(join(import.meta.dir, "../package.json")).json();
    expect(await box.relay([word])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("relay help names what people type, and every verb has help", async () => {
    await using box = sandbox();
    const overview = await box.relay(["help"]);
    expect(overview).toMatchObject({ status: 0, stderr: "" });
    expect([...overview.stdout.matchAll(/^ {2}([a-z][a-z-]+) {2,}\S/gm)].map(([, verb]) => verb)).toEqual(seen);
    for (const flag of ["--help", "-h"]) expect(await box.relay([flag])).toEqual(overview);
    const texts = [overview.stdout];
    for (const verb of [...seen, ...hidden]) {
      const help = await box.relay(["help", verb]);
      expect(help).toMatchObject({ status: 0, stderr: "" });
      expect(help.stdout).toContain(`Usage: relay ${verb}`);
      for (const flag of ["--help", "-h"]) expect(await box.relay([verb, flag])).toEqual(help);
      if (!hidden.includes(verb)) texts.push(`$ relay help ${verb}\n${help.stdout}`);
    }
    expect(texts.join("\n")).toMatchSnapshot();
    expect(overview.stdout).not.toContain("--client");
    expect(await box.relay(["--client", "code", "--help"])).toEqual(await box.relay(["help", "serve"]));
  });

  test("every example is a command line that relay takes", async () => {
    await using box = sandbox();
    const verbs: Verbs = { send, get: getCommand, status, serve, ...otherVerbs };
    for (const verb of seen) {
      const [, examples = ""] = (await box.relay(["help", verb])).stdout.split("Examples\n");
      const lines = [...examples.matchAll(/relay ((?:"[^"]*"|[^|)"\n])+)/g)].map(([, words = ""]) => words.trim());
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) {
        const [name, ...words] = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
        expect(name).toBe(verb);
        parseArguments(verb, verbs[verb] as Command, words);
      }
    }
  });
});

describe("relay demo", () => {
  const nested = { CLAUDE_CODE_CHILD_SESSION: "1", CLAUDE_PID: "1", CLAUDE_CODE_SESSION_ATTENDED: "0" };
  const places: Record<string, string>[] = [{}, { CLAUDECODE: "1", ...nested }];
  test.each(places)("with %j moves a message each way and leaves nothing behind", async (env) => {
    await using box = sandbox();
    const demo = await box.relay(["demo"], { env });
    expect(demo).toMatchObject({ status: 0, stderr: "" });
    expect(demo.stdout).toEndWith("relay works: a message went each way, and each arrived once.\n");
    expect(readdirSync(box.home)).toEqual([]);
  });

  test("--json prints the transcript", async () => {
    await using box = sandbox();
    const { ok, transcript } = JSON.parse((await box.relay(["demo", "--json"])).stdout);
    const calls = transcript.map(({ client, tool }: { client: string; tool: string }) => `${client} ${tool}`);
    const expected = ["desktop relay_send", "code relay_fetch", "code relay_send", "desktop relay_fetch"];
    expect([ok, calls]).toEqual([true, expected]);
  });
});

// Promise 5 in a folder of another person, which may be hostile.
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
  for (const name of ["jsonc-parser", "zod", "@modelcontextprotocol/sdk", "bun", "ajv", "node:fs"]) {
    files[`node_modules/${name}/package.json`] = '{"main":"index.js"}';
    files[`node_modules/${name}/index.js`] = spring;
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(hostile, path, ".."), { recursive: true });
    await Bun.write(join(hostile, path), text);
  }
  for (const line of ["send --to code x", "status", "get --for code", "demo", "--version", "--help"]) {
    const { status, stdout, stderr } = await box.relay(split(line), { cwd: hostile });
    expect([line, status, stderr]).toEqual([line, 0, ""]);
    expect(stdout).not.toContain("6.6.6");
  }
  const stdin = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n';
  const serve = await box.relay(["--client", "code"], { cwd: hostile, stdin });
  expect(serve).toMatchObject({ status: 0, stdout: '{"result":{},"jsonrpc":"2.0","id":1}\n' });
  expect(existsSync(trap)).toBe(false);
  expect(existsSync(join(box.home, "stolen.db"))).toBe(false);
  expect(existsSync(box.buffer)).toBe(true);
});
