// What may be the buffer and what may not, and that no other file is ever touched. design.md, "The file".
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPatiently } from "./support/database.ts";
import { connect } from "./support/peer.ts";
import { relayBinary, type Sandbox, sandbox, sendAll, until } from "./support/sandbox.ts";

const isRoot = process.getuid?.() === 0;

function modeOf(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8);
}

/** Everything in and below the folder, with bytes, modes and owners. */
function snapshot(folder: string): Record<string, unknown> {
  const names = new Bun.Glob("**").scanSync({ cwd: folder, dot: true, onlyFiles: false });
  const entries = [...names].map((name) => {
    const path = join(folder, name);
    const stats = lstatSync(path);
    const bytes = stats.isFile() ? readFileSync(path).toString("base64") : "";
    const target = stats.isSymbolicLink() ? readlinkSync(path) : "";
    return [name, { mode: stats.mode, uid: stats.uid, inode: stats.ino, bytes, target }];
  });
  return Object.fromEntries(entries);
}

describe("a new buffer", () => {
  test.each(["000", "022", "077", "777"])(
    "is its owner's alone, and so is its journal, under umask %s",
    async (mask) => {
      await using box = sandbox();
      const sent = await box.run(["sh", "-c", `umask ${mask}; exec "$RELAY" send --to code text`], {
        env: { RELAY: relayBinary },
      });
      expect(sent).toMatchObject({ status: 0, stderr: "" });
      expect(modeOf(box.buffer)).toBe("600");
      for (const name of readdirSync(box.home)) expect([name, modeOf(join(box.home, name))]).toEqual([name, "600"]);
      expect(readdirSync(box.home)).toContain(".relay_buffer.db-journal");
    },
  );

  test("is its owner's alone before its first byte", async () => {
    await using box = sandbox();
    // a process that may write no byte into any file stops there
    const script = `umask 000; trap "" XFSZ; ulimit -f 0; exec "$RELAY" send --to code text`;
    const sent = await box.run(["sh", "-c", script], { env: { RELAY: relayBinary } });
    expect(sent).toMatchObject({ status: 4, stdout: "" });
    expect([statSync(box.buffer).size, modeOf(box.buffer)]).toEqual([0, "600"]);
  });

  test.each([
    ["status", ["status"]],
    ["get", ["get", "--for", "code"]],
    ["get --peek", ["get", "--for", "desktop", "--peek"]],
    ["clear", ["clear", "--yes"]],
  ])("is not made by relay %s", async (_name, args) => {
    await using box = sandbox();
    expect(await box.relay(args)).toMatchObject({ status: 0, stderr: "" });
    expect(readdirSync(box.home)).toEqual([]);
  });

  test("is not made by a server's fetch or clear", async () => {
    await using box = sandbox();
    const desktop = await connect(box, { args: ["--client", "desktop"] });
    expect(await desktop.fetch()).toBe("relay: nothing new from Code.");
    expect((await desktop.call("relay_clear")).text).toBe(
      '{"ok":true,"deleted":0,"deleted_unread":0,"deleted_history":0}',
    );
    expect(readdirSync(box.home)).toEqual([]);
  });
});

const createOriginal = `CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL,
  message TEXT NOT NULL, timestamp TEXT NOT NULL, read_by_desktop_at TEXT, read_by_code_at TEXT)`;

/** A folder of database files to copy from; `ours` is an empty buffer of this relay, `minor` of its next version. */
const templates = mkdtempSync(join(tmpdir(), "relay-templates-"));
afterAll(() => rmSync(templates, { recursive: true }));
beforeAll(async () => {
  await using box = sandbox();
  await sendAll(box, "code", ["x"]);
  await box.relay(["clear", "--yes"]);
  for (const name of ["ours", "minor"]) copyFileSync(box.buffer, join(templates, name));
  makeDatabase("minor", "ALTER TABLE messages ADD COLUMN from_the_future TEXT", "PRAGMA user_version = 1999");
  makeDatabase("original", createOriginal);
  makeDatabase("wal", "PRAGMA journal_mode = WAL", createOriginal);
  makeDatabase("newer", createOriginal, "PRAGMA user_version = 2001");
  makeDatabase("bookmarks", "CREATE TABLE bookmarks (url TEXT)", "PRAGMA user_version = 75");
  makeDatabase("bookmarksWal", "PRAGMA journal_mode = WAL", "CREATE TABLE bookmarks (url TEXT)");
  makeDatabase("bookmarksLikeOurs", "CREATE TABLE bookmarks (url TEXT)", "PRAGMA user_version = 1500");
  makeDatabase("otherMessages", "CREATE TABLE messages (id INTEGER PRIMARY KEY, body TEXT)");
});

function makeDatabase(name: string, ...statements: string[]): void {
  using db = openPatiently(join(templates, name));
  for (const statement of statements) db.run(statement);
}

/** Runs a shell script in the home folder. `T` is the folder of the templates, `B` is `place/buffer.db`. */
async function shell(box: Sandbox, script: string): Promise<void> {
  const env = { T: templates, B: "place/buffer.db" };
  const { status, stderr } = await box.run(["sh", "-ec", `umask 022; ${script}`], { env });
  if (status !== 0) throw new Error(stderr);
}

/** Runs such a script where the folder `place` is there, and empty. */
function prepare(box: Sandbox, script: string): Promise<void> {
  mkdirSync(join(box.home, "place"), { mode: 0o700 });
  return shell(box, script);
}

describe("the buffer may be", () => {
  const places: [name: string, script: string, path?: string][] = [
    ["where RELAY_DB says", "true"],
    ["at a path with spaces, quotes and letters from anywhere", "true", "place/mein Püffer 'ö\" 信箱?mode=ro#%41.db"],
    ["the person's own link to a file", "cp $T/original place/real; ln -s real $B"],
    [
      "the person's own link through a linked folder",
      "mkdir folder; touch folder/real; ln -s ../folder place/way; ln -s way/real $B",
    ],
    ["in a folder that anybody may write, if it is sticky", "chmod 1777 place"],
    ["in a folder that the person's own group may write", "chmod 770 place"],
    ["an empty file", "touch $B"],
    ["the original's, which others could read until now", "cp $T/original $B; chmod 644 $B"],
    ["of a newer minor schema", "cp $T/minor $B"],
    ["in WAL mode, as some tool may have left it", "cp $T/wal $B"],
  ];
  test.each(places)("%s", async (_name, script, name = "place/buffer.db") => {
    await using box = sandbox();
    await prepare(box, script);
    const path = join(box.home, name);
    const env = { RELAY_DB: path };
    for (const text of ["one", "two"])
      expect(await box.relay(["send", "--to", "code", text], { env })).toMatchObject({
        status: 0,
        stderr: "",
      });
    expect(modeOf(path)).toBe("600");
    const status = JSON.parse((await box.relay(["status", "--json"], { env })).stdout);
    expect(status).toMatchObject({ buffer: path, total: 2, unread: { code: 2, desktop: 0 } });
    const got = JSON.parse((await box.relay(["get", "--for", "code", "--json"], { env })).stdout);
    expect(got.messages.map(({ message }: { message: string }) => message)).toEqual(["one", "two"]);
    expect(existsSync(box.buffer)).toBe(false);
  });
});

const stranger = 65_534;
const open =
  "the folder FOLDER can be written by anybody, so the buffer in it would not be safe. Run: chmod go-w FOLDER, or set RELAY_DB to a file in a folder of your own on a disk of this machine.";
const another = "PATH is another program's database, not a relay buffer.";

/**
 * A script that makes trouble at the path, what relay says of it (`PATH` and `FOLDER` stand for themselves), and a script
 * that does what the sentence advises; without one the file is moved away.
 */
type Trouble = [name: string, make: string, says: string, fix?: string];

const troubles: Trouble[] = [
  ["a link to nothing", "ln -s nowhere $B", "PATH is a link to a file that does not exist."],
  ["a link to itself", "ln -s buffer.db $B", "PATH is a link that leads to itself."],
  ["a folder", "mkdir $B", "PATH is a folder, not a file."],
  ["a link to a folder", "mkdir place/d; ln -s d $B", "is a folder, not a file."],
  ["a named pipe", "mkfifo $B", "PATH is not a regular file."],
  ["a file of two names", "touch other; ln other $B", "PATH has more than one name (hard links).", "rm other"],
  ["a text", "yes 'Dear diary,' | head -1000 >$B", "PATH is not a SQLite database."],
  ["a text of two bytes", "echo x >$B", "PATH is not a SQLite database."],
  [
    "a buffer whose schema is damaged",
    "cp $T/ours $B; printf '\\377' | dd of=$B bs=1 seek=100 conv=notrunc status=none",
    "PATH is damaged.",
  ],
  ["a buffer cut off after its first page", "head -c 4096 $T/ours >$B", "PATH is damaged."],
  [
    "a file that its owner may not write",
    "cp $T/original $B; chmod 444 $B",
    "PATH is read-only or unreadable to you. Run: chmod 600 PATH",
    "chmod 600 $B",
  ],
  [
    "a file whose journal is a link",
    "cp $T/original $B; touch bait; ln -s ../bait $B-journal",
    "PATH-journal is not a regular file.",
    "rm $B-journal",
  ],
  ["nothing, in a folder that anybody may write", "chmod 777 place", open, "chmod go-w place"],
  [
    "a link to a file in a folder that anybody may write",
    "mkdir place/d; touch place/d/real; chmod 777 place/d; ln -s d/real $B",
    "the folder FOLDER/d can be written by anybody",
    "chmod go-w place/d",
  ],
  [
    "a buffer of a newer major schema",
    "cp $T/newer $B",
    "PATH was written by a newer relay (schema 2001). Upgrade this one.",
  ],
  ["another program's database", "cp $T/bookmarks $B; chmod 644 $B", another],
  ["another program's database in WAL mode", "cp $T/bookmarksWal $B", another],
  ["another program's database with a version like ours", "cp $T/bookmarksLikeOurs $B", another],
  ["another program's messages", "cp $T/otherMessages $B", another],
  ["a file in a folder that is missing", "rmdir place", "the folder FOLDER does not exist.", "mkdir -m 700 place"],
  ["a file in a file", "rmdir place; >place", "FOLDER is not a folder.", "rm place; mkdir -m 700 place"],
];

const othersTroubles: Trouble[] = [
  ["a file", `cp $T/original $B; chown ${stranger} $B`, "PATH belongs to another user", "chown 0 $B"],
  ["a link", `>place/real; ln -s real $B; chown -h ${stranger} $B`, "PATH belongs to another user", "chown -h 0 $B"],
  [
    "a journal beside the file",
    `cp $T/original $B; touch $B-journal; chown ${stranger} $B-journal`,
    `PATH-journal belongs to another user (uid ${stranger}).`,
    "rm $B-journal",
  ],
  [
    "a group's rights to write the folder",
    `chgrp ${stranger} place; chmod 770 place`,
    "the folder FOLDER can be written by a group other than your own",
    "chmod go-w place",
  ],
];

const commands = [["send", "--to", "code", "text"], ["status"], ["get", "--for", "code"]];
const tools: [name: string, args: Record<string, unknown>][] = [
  ["relay_send", { message: "x" }],
  ["relay_fetch", {}],
  ["relay_clear", {}],
];

async function expectRefused([, make, says, fix = "mv $B away"]: Trouble): Promise<void> {
  await using box = sandbox();
  await prepare(box, make);
  const path = join(box.home, "place/buffer.db");
  const env = { RELAY_DB: path };
  const sentence = says.replaceAll("PATH", path).replaceAll("FOLDER", join(box.home, "place"));
  const before = snapshot(box.home);
  for (const args of commands) {
    const plain = await box.relay(args, { env });
    expect(plain).toEqual({ status: 4, stdout: "", stderr: expect.stringMatching(/^relay: [^\n]+\n$/) });
    expect(plain.stderr).toContain(sentence);
    const json = await box.relay([...args, "--json"], { env });
    const error = plain.stderr.slice("relay: ".length, -1);
    expect([json.status, json.stdout, JSON.parse(json.stderr)]).toEqual([4, "", { ok: false, error, code: 4 }]);
  }
  const desktop = await connect(box, { args: ["--client", "desktop"], env });
  for (const [tool, args] of tools) {
    const answer = await desktop.call(tool, args);
    expect([tool, answer]).toEqual([tool, { isError: true, text: expect.stringContaining(sentence) }]);
    expect(answer.text).toMatch(/^relay: [^\n]+$/);
  }
  expect(snapshot(box.home)).toEqual(before);

  await shell(box, fix);
  expect(await desktop.send("fixed")).toMatchObject({ ok: true, unread: 1 });
  const got = await box.relay(["get", "--for", "code", "--json"], { env });
  expect(JSON.parse(got.stdout).messages).toMatchObject([{ message: "fixed" }]);
}

describe("no command and no server uses, changes or replaces", () => {
  test.each(troubles)("%s", (...trouble: Trouble) => expectRefused(trouble));
  test.skipIf(!isRoot).each(othersTroubles)("another user's: %s", (...trouble: Trouble) => expectRefused(trouble));

  test("a path that is not absolute", async () => {
    await using box = sandbox();
    const env = { RELAY_DB: "buffer.db" };
    const text =
      'relay: RELAY_DB is "buffer.db", which is neither an absolute path nor a postgres:// URL. Write it out from the root.';
    for (const args of commands)
      expect(await box.relay(args, { env })).toEqual({ status: 4, stdout: "", stderr: `${text}\n` });
    const peer = await connect(box, { args: ["--client", "code"], env });
    for (const [tool, args] of tools) expect(await peer.call(tool, args)).toEqual({ isError: true, text });
    expect(readdirSync(box.home)).toEqual([]);
  });

  test.each([
    ["before", (path: string) => ["--db", path, "send", "--to", "code", "--", "--db"]],
    ["after", (path: string) => ["send", "--to", "code", "x", `--db=${path}`]],
  ])("--db %s the verb wins over RELAY_DB", async (_name, args) => {
    await using box = sandbox();
    const path = join(box.home, "b.db");
    expect(await box.relay(args(path), { env: { RELAY_DB: join(box.home, "other.db") } })).toMatchObject({ status: 0 });
    expect([existsSync(path), existsSync(join(box.home, "other.db"))]).toEqual([true, false]);
  });

  test("an empty RELAY_DB counts as none", async () => {
    await using box = sandbox();
    const sent = await box.relay(["send", "--to", "code", "x"], { env: { RELAY_DB: "" } });
    expect([sent.status, existsSync(box.buffer)]).toEqual([0, true]);
  });
});

test("damage that shows only in the texts is one sentence too, and nothing is deleted", async () => {
  await using box = sandbox();
  await sendAll(box, "code", ["x".repeat(60_000), "y".repeat(60_000)]);
  const bytes = readFileSync(box.buffer);
  for (let page = 4; page * 4096 < bytes.length; page++) bytes.fill(0xff, page * 4096, page * 4096 + 64);
  writeFileSync(box.buffer, bytes);
  expect(await box.relay(["get", "--for", "code"])).toEqual({
    status: 4,
    stdout: "",
    stderr: `relay: ${box.buffer} is damaged. \`relay doctor --repair\` saves the messages that can be read.\n`,
  });
  expect(readFileSync(box.buffer).equals(bytes)).toBe(true);
});

const hasDisks =
  process.platform === "linux" &&
  Bun.spawnSync(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]).exitCode === 0 &&
  Bun.spawnSync(["sh", "-c", "command -v nsenter"]).exitCode === 0;

/** Mounts a small disk in a namespace that ends with the sandbox. */
async function mountDisk(box: Sandbox, options: string) {
  const folder = join(box.home, "disk");
  mkdirSync(folder);
  const script = `mount -t tmpfs -o ${options},mode=0700 tmpfs disk && : >mounted && exec sleep 600`;
  const holder = Bun.spawn(["unshare", "-rm", "sh", "-c", script], { cwd: box.home, env: box.env });
  box.defer(async () => {
    holder.kill("SIGKILL");
    await holder.exited;
  });
  await until("the disk is mounted", () => existsSync(join(box.home, "mounted")));
  const enter = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", `${holder.pid}`];
  const buffer = join(folder, "buffer.db");
  const env = { RELAY_DB: buffer, RELAY_NOTIFY: "off" };
  const run = (...argv: string[]) => box.run([...enter, ...argv], { env });
  const noRoom = `relay: there is no room left on the disk of ${buffer}. Free some and try again; nothing was stored.`;
  return {
    buffer,
    run,
    noRoom,
    refused: { status: 4, stdout: "", stderr: `${noRoom}\n` },
    send: (message: string) => run(relayBinary, "send", "--to", "code", message),
    fill: () => run("sh", "-c", `cat /dev/zero >"${folder}/fill"; true`),
    free: () => run("rm", join(folder, "fill")),
    connect: () => connect(box, { command: "nsenter", args: [...enter.slice(1), relayBinary], env, name: "claude-ai" }),
    /** The beginnings of the texts that wait for Code. */
    async waiting(): Promise<string[]> {
      const got = await run(relayBinary, "get", "--for", "code", "--limit", "20", "--peek", "--json");
      return JSON.parse(got.stdout).messages.map(({ message }: { message: string }) => message.slice(0, 5));
    },
  };
}

test.skipIf(!hasDisks)(
  "a file that is mounted without its folder is refused, because its journal lies elsewhere",
  async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["text"]);
    const mounted = (source: string, ...args: string[]) => {
      const script = `cp -p .relay_buffer.db /dev/shm/b; touch "a b.db"; mount --bind ${source} "$0" && exec "$@"`;
      const env = { RELAY_DB: join(box.home, "a b.db") };
      return box.run(["unshare", "-rm", "sh", "-c", script, env.RELAY_DB, relayBinary, ...args], { env });
    };
    const sentence = expect.stringMatching(
      /a b.db is mounted without its folder.* mount that folder, and set RELAY_DB/s,
    );
    expect(await mounted("/dev/shm/b", "status")).toMatchObject({ status: 4, stderr: sentence });
    expect(await mounted(".relay_buffer.db", "doctor")).toMatchObject({ status: 1, stdout: sentence });
  },
);

describe.skipIf(!hasDisks)("a disk", () => {
  const text = "x".repeat(20_000);

  test("without room: a send is refused, what was stored stays, and with room everything works", async () => {
    await using box = sandbox();
    const disk = await mountDisk(box, "size=1m");
    const desktop = await disk.connect();
    expect((await disk.send("first")).status).toBe(0);
    await desktop.send("other");
    await disk.fill();
    for (let n = 0; n < 3; n++) {
      expect(await disk.send(text)).toEqual(disk.refused);
      expect(await desktop.call("relay_send", { message: text })).toEqual({
        isError: true,
        text: disk.noRoom,
      });
    }
    expect(await disk.waiting()).toEqual(["first", "other"]);
    await disk.free();
    expect((await disk.send(text)).status).toBe(0);
    await desktop.send(`after${text}`);
    expect(await disk.waiting()).toEqual(["first", "other", "xxxxx", "after"]);
  });

  test("without room for a new buffer: refused, and with room it is made", async () => {
    await using box = sandbox();
    const disk = await mountDisk(box, "size=128k");
    await disk.fill();
    expect(await disk.send("first")).toEqual(disk.refused);
    await disk.free();
    expect((await disk.send("first")).status).toBe(0);
    expect(await disk.waiting()).toEqual(["first"]);
  });

  test("without room for another file: refused", async () => {
    await using box = sandbox();
    const disk = await mountDisk(box, "size=1m,nr_inodes=1");
    expect(await disk.send("first")).toEqual(disk.refused);
  });

  test("without room for a repair: nothing is changed, and with room it is done", async () => {
    await using box = sandbox();
    const disk = await mountDisk(box, "size=1m");
    await disk.send("first");
    const damage = `printf '\\377\\377\\377' | dd of="${disk.buffer}" bs=1 seek=32 conv=notrunc status=none`;
    await disk.run("sh", "-c", damage);
    await disk.fill();
    const before = await disk.run("sh", "-c", `cd ${box.home}/disk; ls; cksum buffer.db`);
    const repair = () => disk.run(relayBinary, "doctor", "--repair");
    expect(await repair()).toEqual(disk.refused);
    expect(await disk.run("sh", "-c", `cd ${box.home}/disk; ls; cksum buffer.db`)).toEqual(before);
    await disk.free();
    expect((await repair()).stdout).toContain("\nsaved       1 message (1)\n");
  });

  test("that is read-only: refused with a sentence that names the file", async () => {
    await using box = sandbox();
    const disk = await mountDisk(box, "size=1m");
    expect((await disk.send("first")).status).toBe(0);
    const remount = (mode: string) =>
      disk.run("mount", "-o", `remount,${mode},size=1m`, "tmpfs", join(box.home, "disk"));
    expect(await remount("ro")).toMatchObject({ status: 0 });
    const refused = await disk.send("second");
    expect(refused).toEqual({ status: 4, stdout: "", stderr: expect.stringMatching(/^relay: [^\n]+\n$/) });
    expect(refused.stderr).toContain(disk.buffer);
    expect(await remount("rw")).toMatchObject({ status: 0 });
    expect((await disk.send("third")).status).toBe(0);
    expect(await disk.waiting()).toEqual(["first", "third"]);
  });
});
