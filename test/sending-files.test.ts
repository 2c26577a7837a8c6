// Files by name: what a model may send, and what a person may. Each case tries to get past a rule.
import { describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "bun";
import { readFiles } from "../src/platform/outgoing-files.ts";
import { claude, openLab, relayTool } from "./support/claude-lab.ts";
import { openPatiently } from "./support/database.ts";
import { connect, type Peer, type PeerOptions } from "./support/peer.ts";
import { get, relayBinary, type Sandbox, sandbox, until } from "./support/sandbox.ts";
import { put as putFile } from "./support/setup-box.ts";

const png = Buffer.from("89504e470d0a1a0a", "hex");

/** Claude Code in the folder `my project`, whose one root it is. */
function codeIn(box: Sandbox, options: PeerOptions = {}): Promise<Peer> {
  const project = join(box.home, "my project");
  mkdirSync(project, { recursive: true });
  const roots = [pathToFileURL(project).href]; // a space is %20 there
  return connect(box, { name: "claude-code", version: "2.1.330", env: { CLAUDECODE: "1" }, roots, ...options });
}

/** Writes a file below the home folder; one whose content does not matter if it is left out. */
function put(box: Sandbox, path: string, content: string | Uint8Array | object = "innocent"): string {
  return putFile(box, path, content);
}

const deny = (...rules: string[]) => ({ permissions: { deny: rules } });

describe("a model sends no file", () => {
  type Case = [name: string, prepare: (box: Sandbox) => string, sentence: string];
  const outside = "is not in a folder that a model may send from";
  const secret = "is on the list of what no model sends: it is";
  const cases: Case[] = [
    ["beside its root", (box) => put(box, "notes.txt"), outside],
    ["that is not there, beside its root", (box) => join(box.home, "nothing"), outside],
    ["beside a root whose name goes on", (box) => put(box, "my project-2/a.txt"), outside],
    ["by dots", (box) => put(box, "notes.txt") && "../notes.txt", outside],
    ["by dots in the middle", (box) => put(box, "notes.txt") && "./a/../../notes.txt", outside],
    ["of the home folder by ~", (box) => put(box, "notes.txt") && "~/notes.txt", outside],
    ["by a link out of its root", (box) => linkTo(box, put(box, "notes.txt")), outside],
    ["below a linked folder", (box) => join(linkTo(box, dirname(put(box, "other/notes.txt"))), "notes.txt"), outside],
    ["of another process", () => "/proc/self/environ", outside],
    ["through a root's own link to /proc", (box) => join(linkTo(box, "/proc/self"), "environ"), outside],
    ["that is not there", () => "nothing.txt", "nothing.txt does not exist"],
    ["with a NUL in its path", () => "a\0b", "files is a list; it must be a list of paths"],
    ["with a path of 100,000 characters", () => "a/".repeat(50_000), "does not exist"],
    ["called .env.local", (box) => put(box, "my project/.env.local"), `${secret} an environment file`],
    ["called .ENV", (box) => put(box, "my project/.ENV"), `${secret} an environment file`],
    ["below .SSH", (box) => put(box, "my project/.SSH/config"), `${secret} a key`],
    ["called deploy.pem", (box) => put(box, "my project/deploy.pem"), `${secret} a key`],
    ["of a service", (box) => put(box, "my project/Service-Account-1.json"), `${secret} a store of credentials`],
    ["of a state with secrets", (box) => put(box, "my project/a.tfstate.backup"), `${secret} a store of credentials`],
    ["of a browser", (box) => put(box, "my project/.var/app/b/Default/Login Data"), `${secret} in a browser's`],
    ["of .git", (box) => put(box, "my project/.git/config"), `${secret} in a repository's own folder`],
    ["by a link to a key", (box) => linkTo(box, put(box, "my project/id_rsa")), `${secret} a key`],
    ["by a link that is called .env", (box) => linkTo(box, put(box, "my project/a"), ".env"), `${secret} an`],
    ["that is a key", (box) => put(box, "my project/a", "-----BEGIN OPENSSH PRIVATE KEY-----\n"), "is a private key"],
    ["that is hard linked", (box) => hardLinkTo(box, put(box, ".ssh/id_rsa")), "has more than one name (hard links)"],
    ["of relay's own", (box) => linkTo(box, put(box, "my project/.relay_buffer.db-journal")), `${secret} relay's own`],
    ["that is a folder", (box) => dirname(put(box, "my project/folder/a")), "is a folder, not a file"],
    ["that is a pipe", (box) => special(box, "mkfifo"), "is a pipe, not a file"],
    ["that is a device", (box) => special(box, "mknod", "c", "1", "5"), "is a device, not a file"],
    ["over 8 MB", (box) => put(box, "my project/big", new Uint8Array(8_388_609)), "is 8,388,609 bytes; the limit is"],
    [
      "that the person's settings deny",
      (box) => denied(box, ".claude/settings.json", "Read(~/my project/a.txt)"),
      "denies Read(~/my",
    ],
    [
      "that the project's settings deny",
      (box) => denied(box, "my project/.claude/settings.json", "Read(./A.*)"),
      "denies Read(./A.*)",
    ],
    [
      "that the local settings deny",
      (box) => denied(box, "my project/.claude/settings.local.json", "Read(/a.txt)"),
      "denies Read(/a.txt)",
    ],
    ["of which settings deny all", (box) => denied(box, ".claude/settings.json", "Read"), "denies Read"],
    [
      "while settings are no JSON",
      (box) => put(box, ".claude/settings.json", "{") && put(box, "my project/a.txt"),
      "is not JSON",
    ],
  ];
  test.each(cases)("%s", async (_name, prepare, sentence) => {
    await using box = sandbox();
    const code = await codeIn(box);
    const { text, isError } = await code.call("relay_send", { message: "see", files: [prepare(box)] });
    expect(isError).toBe(true);
    expect(text).toContain(sentence);
    expect(text).not.toContain("\n");
    expect(text.length).toBeLessThan(600);
    expect((await get(box, "desktop")).messages).toEqual([]);
  });

  function linkTo(box: Sandbox, target: string, name = "link"): string {
    const link = join(box.home, "my project", name);
    symlinkSync(target, link);
    return link;
  }

  function hardLinkTo(box: Sandbox, target: string): string {
    const link = join(box.home, "my project/plot.png");
    linkSync(target, link);
    return link;
  }

  function special(box: Sandbox, program: string, ...args: string[]): string {
    const path = join(box.home, "my project/special");
    if (Bun.spawnSync([program, path, ...args]).exitCode !== 0) return "/dev/zero"; // not root: refused as outside
    return path;
  }

  function denied(box: Sandbox, settings: string, rule: string): string {
    put(box, settings, deny(rule));
    return put(box, "my project/a.txt");
  }
});

describe("Claude Code's rule", () => {
  const rules: [rule: string, denied: string[], allowed: string[]][] = [
    ["Read(secret.txt)", ["secret.txt", "a/secret.txt", "A/SECRET.TXT"], ["secret.txt.md"]],
    ["Read(secrets/)", ["secrets/a", "x/secrets/b/c"], ["secrets-2/a"]],
    ["Read(secrets/**)", ["secrets/a/b", "x/secrets/a"], ["not-secrets/a"]],
    ["Read(./secrets/*)", ["secrets/a", "secrets/b/c"], ["x/secrets/a"]],
    ["Read(/secrets)", ["secrets/a"], ["x/secrets/a"]],
    ["Read(**/*.sql)", ["a.sql", "x/y/.b.sql"], ["a.sqlite"]],
    ["Read(a/**/b)", ["a/b/c", "a/x/y/b"], ["b", "x/a/b"]],
    ["Read(*.{a,b})", ["x.{a,b}"], ["x.a"]],
    ["Read(v[12].t?t)", ["v1.txt", "x/v2.tat"], ["v3.txt", "v1.t/t"]],
    ["Read(!public/**)", [], ["public/a"]],
    ["Edit(a)", [], ["a"]],
    ["Read(~/my project/linked/**)", ["target/a"], ["targets/a"]],
    ["Read(//etc/**)", [], ["etc/a"]],
  ];
  test.each(rules)("%s", async (rule, denied, allowed) => {
    await using box = sandbox();
    const code = await codeIn(box);
    put(box, "my project/.claude/settings.json", deny(rule));
    mkdirSync(join(box.home, "my project/target"));
    symlinkSync("target", join(box.home, "my project/linked"));
    const send = async (path: string) => {
      put(box, join("my project", path));
      return (await code.call("relay_send", { message: "x", files: [path] })).isError;
    };
    expect(await Promise.all(denied.map(send))).toEqual(denied.map(() => true));
    expect(await Promise.all(allowed.map(send))).toEqual(allowed.map(() => false));
  });
});

describe("a model sends", () => {
  test("a file of a root by its name, and the receipt tells it", async () => {
    await using box = sandbox();
    const code = await codeIn(box);
    put(box, "my project/plots/confusion.png", png);
    const receipt = await code.send("see", { files: ["plots/confusion.png"] });
    expect(receipt).toMatchObject({ ok: true, files: [{ name: "confusion.png", type: "image/png", size: 8 }] });
  });

  test("eight files, of 16 MB together, and no more", async () => {
    await using box = sandbox();
    const code = await codeIn(box);
    const files = ["a", "b", "c"].map((name) => put(box, `my project/${name}`, new Uint8Array(6_000_000)));
    const { text } = await code.call("relay_send", { message: "x", files });
    expect(text).toContain("c brings the files to 18,000,000 bytes; the limit is 16,777,216.");
    const nine = await code.call("relay_send", { message: "x", files: Array(9).fill(put(box, "my project/d")) });
    expect(nine.text).toContain("files names 9; a message has at most 8.");
    expect(await code.send("x", { files: Array(8).fill(put(box, "my project/d")) })).toMatchObject({ ok: true });
  });

  const clients: [name: string, options: (box: Sandbox) => PeerOptions, outcome: string][] = [
    [
      "Desktop, with no folder",
      () => ({ name: "claude-ai" }),
      "there is no folder that it may send from. For Claude Desktop, the person allows one",
    ],
    [
      "Desktop, with a folder",
      (box) => ({ name: "claude-ai", args: ["--allow-files", join(box.home, "my project")] }),
      "ok",
    ],
    [
      "Desktop, with folders switched off",
      () => ({ name: "claude-ai", args: ["--allow-files", "off"] }),
      "there is no folder",
    ],
    [
      "a Claude Code that tells no roots",
      (box) => ({ name: "claude-code", env: { CLAUDE_PROJECT_DIR: join(box.home, "my project") } }),
      "ok",
    ],
    [
      "a client with roots that are no files",
      () => ({ roots: ["https://example.com/a", "nonsense"] }),
      "there is no folder",
    ],
    [
      "a client with two roots",
      (box) => ({ roots: ["file:///nowhere", pathToFileURL(join(box.home, "my project")).href] }),
      "ok",
    ],
  ];
  test.each(clients)("for %s", async (_name, options, outcome) => {
    await using box = sandbox();
    put(box, "my project/a.txt");
    const peer = await connect(box, options(box));
    const sender = options(box).name ? null : "code"; // only a known client needs to give none
    const { text } = await peer.call("relay_send", { message: "x", sender, files: ["a.txt"] });
    expect(text).toContain(outcome === "ok" ? '"ok":true' : outcome);
  });
});

describe("relay send --file", () => {
  test("sends whatever the person can read, in words or without, and standard input under a name", async () => {
    await using box = sandbox();
    put(box, ".env", "A=1");
    symlinkSync(".env", join(box.home, "my link"));
    const args = ["send", "--to", "code", "--file", ".env", "--file", "my link", "--file", "-", "--name", "x.png"];
    const sent = await box.relay(args, { stdin: png });
    const files = ".env (text/plain, 3 bytes), my link (text/plain, 3 bytes), x.png (image/png, 8 bytes)";
    expect(sent.stdout).toBe(`relay: sent to Code as message 1, with ${files}; 1 waits there.\n`);
    await box.relay(["send", "--to", "code", "look", "--file", ".env"], { stdin: "and this" });
    const messages = (await get(box, "code")).messages.map(({ message }) => message);
    expect(messages).toEqual(["3 files: .env, my link, x.png", "look\n\nand this"]);
  });

  test.each([
    ["outside the project", "../notes.txt", "is not in a folder that a model may send from"],
    ["that is secret", ".env", "is on the list of what no model sends"],
    ["that is denied", "a.txt", "denies Read(a.txt)"],
  ])("inside Claude Code sends no file %s", async (_name, path, sentence) => {
    await using box = sandbox();
    for (const name of ["notes.txt", "my project/.env", "my project/a.txt"]) put(box, name);
    put(box, ".claude/settings.json", deny("Read(a.txt)"));
    const options = { env: { CLAUDE_CODE_CHILD_SESSION: "1" }, cwd: join(box.home, "my project") };
    const refused = await box.relay(["send", "--file", path], options);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining(sentence) });
    put(box, "my project/b.txt");
    expect((await box.relay(["send", "--file", "b.txt"], options)).status).toBe(0);
  });
});

test("kill -9 during a send with files leaves the whole message or nothing", async () => {
  await using box = sandbox();
  const content = crypto.getRandomValues(new Uint8Array(65_536));
  for (const name of ["a", "b"]) put(box, name, Buffer.concat(Array(100).fill(content)));
  const argv = [relayBinary, "send", "--to", "code", "--json", "--file", "a", "--file", "b"];
  const send = () => Bun.spawn(argv, { env: box.env, cwd: box.home, stdio: ["ignore", "pipe", "ignore"] });
  const started = performance.now();
  await send().exited;
  const normal = performance.now() - started;
  const acknowledged = [1];
  let killed = 0;
  for (let n = 0; n < 20; n++) {
    const child = send();
    const printed = new Response(child.stdout).text();
    await Bun.sleep(normal * (0.2 + 0.04 * n));
    child.kill("SIGKILL");
    await child.exited;
    if ((await printed).endsWith("\n")) acknowledged.push(JSON.parse(await printed).id);
    else killed += 1;
    await box.relay(["get", "--for", "code", "--limit", "20"]); // so that later files find room
  }
  expect(killed).toBeGreaterThan(5);
  const whole = new Bun.CryptoHasher("sha256").update(await Bun.file(join(box.home, "a")).bytes()).digest("hex");
  using db = openPatiently(box.buffer);
  expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  const stored = db.query<{ id: number; n: number; sha256: string }, []>(
    `SELECT id, count(name) AS n, sha256 FROM messages LEFT JOIN relay_files ON message_id = id GROUP BY id`,
  );
  expect(stored.all().every(({ n, sha256 }) => n === 2 && sha256 === whole)).toBe(true);
  expect(stored.all().map(({ id }) => id)).toEqual(expect.arrayContaining(acknowledged));
  expect(
    db.query("SELECT count(*) AS n FROM relay_files WHERE message_id NOT IN (SELECT id FROM messages)").get(),
  ).toEqual({ n: 0 });
});

test("a file that grows while it is read is not sent", async () => {
  await using box = sandbox();
  const file = put(box, "log", new Uint8Array(4_000_000));
  const writer = Bun.spawn(["sh", "-c", `while :; do printf x; done >>"${file}"`]);
  box.defer(async () => {
    writer.kill();
    await writer.exited;
  });
  await until("a refusal", () => {
    try {
      return readFiles([file], [], null).length === 0; // the writer may have paused
    } catch (error) {
      expect(`${error}`).toContain("changed while it was read");
      return true;
    }
  });
});

test("a folder that is exchanged for a link while it is read lets nothing out", async () => {
  await using box = sandbox();
  const inside = put(box, "root/folder/a.txt");
  put(box, "secret/a.txt", "secret");
  const script = `cd "${box.home}"; while :; do mv -T root/folder root/away; ln -s ../secret root/folder; rm root/folder; mv -T root/away root/folder; done`;
  const racer = Bun.spawn(["sh", "-c", script], { stderr: "ignore" });
  box.defer(async () => {
    racer.kill();
    await racer.exited;
  });
  const rules = { folders: [join(box.home, "root")], deniedBy: () => null, buffer: box.buffer, home: box.home };
  const seen = { innocent: 0, secret: 0, refused: 0 };
  for (const end = performance.now() + 2_000; performance.now() < end; ) {
    try {
      const [file] = readFiles([inside], [], rules);
      seen[Buffer.from(file?.content ?? []).toString() as "innocent" | "secret"] += 1;
    } catch {
      seen.refused += 1;
    }
  }
  expect(seen).toEqual({ innocent: expect.any(Number), secret: 0, refused: expect.any(Number) });
  expect(Math.min(seen.innocent, seen.refused)).toBeGreaterThan(0);
});

describe.skipIf(!claude)("the model of the real Claude Code", () => {
  const prompt = "Please send the plot";
  const send = (...files: string[]) => ({
    call: { name: relayTool("setup", "relay_send"), input: { message: "see", files } },
  });
  const shell = (command: string) => ({ call: { name: "Bash", input: { command, description: "send" } } });

  test("sends files of its project and of --add-dir by name, and no others", async () => {
    await using box = sandbox();
    const files = {
      "project/plots/confusion.png": png.toString("latin1"),
      "project/private/a.txt": "x",
      "project/.claude/settings.json": JSON.stringify(deny("Read(./private/**)")),
      "other/b.txt": "b",
      "notes.txt": "x",
    };
    const replies = [
      send("plots/confusion.png", `${box.home}/other/b.txt`),
      ...["../notes.txt", "private/a.txt", ".git/config"].map((path) => send(path)),
      shell("relay send --file ../notes.txt; relay send --file plots/confusion.png"),
      shell("cd ..; relay send --file notes.txt"),
    ];
    const lab = openLab(box, { prompt, replies, files });
    await lab.headless(prompt, ["--add-dir", join(box.home, "other"), "--allowedTools", "Bash"]);
    const shown = lab.api.everything();
    expect(shown).toContain("../notes.txt is not in a folder that a model may send from");
    expect(shown).toContain("private/a.txt may not be read by a model");
    expect(shown).toContain(".git/config does not exist");
    expect(shown).toContain("relay: notes.txt is not in a folder that a model may send from");
    const sent = (await get(box, "desktop")).messages.map((message) => message.files?.map(({ name }) => name));
    expect(sent).toEqual([["confusion.png", "b.txt"], ["confusion.png"]]);
  });
});
