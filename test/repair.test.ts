// `relay doctor --repair`: what SQLite can still read of a damaged buffer is kept. design.md, "The file".
import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { systemClock } from "../src/core/clock.ts";
import { plural, ranges } from "../src/core/words.ts";
import { SqliteStore } from "../src/store/sqlite-store.ts";
import { request } from "./store/fixture.ts";
import { integrityOf, overwrite, type Row, readableRows, rootOf, wipe } from "./support/damage.ts";
import { openPatiently } from "./support/database.ts";
import { connectBoth, textsOf } from "./support/peer.ts";
import { get, relayBinary, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";

const scratch = mkdtempSync(join(tmpdir(), "relay-repair-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const newest = 42;
const files = ["a", "b"].map((name, index) => {
  const content = new Uint8Array(20_000).fill(65 + index);
  return { name, type: "text/plain", size: content.length, sha256: "of no matter", content };
});

/**
 * A buffer with the messages 1 to 22 in its history and 23 to 42, of all sizes, in its window, of which Code read the first
 * three. The person typed every other one, which answers message 1 and is for a project. Messages 5 and 30 have two files each.
 */
const full = await (async () => {
  const path = join(scratch, "full.db");
  const store = new SqliteStore({ locate: () => path, clock: systemClock, isRunning: () => false });
  for (let n = 1; n <= newest; n++) {
    const message = `message ${n} ${"ä€😀\u0000".repeat(n * 10)}`;
    const extra = n % 2 === 0 ? ({ typed_in: "terminal", project: `project ${n}`, reply_to: 1 } as const) : {};
    const attached = [5, 30].includes(n) && { files };
    await store.append({ sender: "desktop", message, ...extra, ...attached, notify: "never" });
  }
  const { lease } = await store.lease(request({ limit: 3 }));
  if (lease) await store.ack(lease);
  store.close();
  return path;
})();
const [rows, older] = [readableRows(full), readableRows(full, "relay_history")];
const idsOf = (all: Row[]) => all.map(({ id }) => id);
const [ids, olderIds] = [idsOf(rows), idsOf(older)];
const zeros = new Uint8Array(4096);

/** What each byte of the files of messages 5 and 30 is; nothing for a content that is gone. */
async function filesIn(path: string): Promise<string> {
  const store = new SqliteStore({ locate: () => path, clock: systemClock, isRunning: () => false });
  const found = [...(await store.readFiles(5)), ...(await store.readFiles(30))];
  store.close();
  return found.map(({ content }) => [...new Set(Buffer.from(content ?? []).toString())].join("")).join();
}

function place(box: Sandbox): string {
  copyFileSync(full, box.buffer);
  chmodSync(box.buffer, 0o600);
  return box.buffer;
}

async function repair(box: Sandbox) {
  const { status, stdout, stderr } = await box.relay(["doctor", "--repair", "--json"]);
  return { status, stderr, ...(stdout ? JSON.parse(stdout) : {}) };
}

/** Everything in the folder, with bytes and modes. */
function snapshot(folder: string) {
  return readdirSync(folder)
    .sort()
    .map((name) => [name, statSync(join(folder, name)).mode, readFileSync(join(folder, name)).toString("hex")]);
}

test("where there is no buffer, none is made", async () => {
  await using box = sandbox();
  expect(await repair(box)).toMatchObject({ status: 0, ok: true, state: "absent" });
  expect(readdirSync(box.home)).toEqual([]);
});

test.each([
  ["a sound buffer", (path: string) => copyFileSync(full, path)],
  ["an empty file", (path: string) => writeFileSync(path, "")],
])("%s is said to be sound, and nothing is changed", async (_name, make) => {
  await using box = sandbox();
  make(box.buffer);
  chmodSync(box.buffer, 0o600);
  const before = snapshot(box.home);
  expect(await box.relay(["doctor", "--repair"])).toEqual({
    status: 0,
    stdout: `relay: the buffer ${box.buffer} is sound. Nothing was changed.\n`,
    stderr: "",
  });
  expect(snapshot(box.home)).toEqual(before);
});

/** The page on which a message begins, and the ids of all that begin there. */
function leafOf(message: number): { page: number; on: number[] } {
  const bytes = readFileSync(full);
  const pageOf = (id: number) => Math.floor(bytes.lastIndexOf(`message ${id} `) / 4096) + 1;
  return { page: pageOf(message), on: [...olderIds, ...ids].filter((id) => pageOf(id) === pageOf(message)) };
}

const damages: [name: string, damage: (path: string) => void, lost?: number[], nextId?: number][] = [
  ["an index", (path) => wipe(path, rootOf(path, "sqlite_autoindex_relay_clients_1"))],
  ["the table of dropped messages", (path) => wipe(path, rootOf(path, "relay_dropped"), 0xff)],
  ["the list of free pages", (path) => overwrite(path, 32, Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 9))],
  ["the table of ids", (path) => wipe(path, rootOf(path, "sqlite_sequence"))],
  ["the table of files", (path) => wipe(path, rootOf(path, "relay_files"), 0xff)],
  ["a file's content", (path) => damageContent(path)],
  ["a page of messages", (path) => wipe(path, leafOf(newest).page, 0xff), leafOf(newest).on],
  ["a page of the history", (path) => wipe(path, leafOf(10).page, 0xff), leafOf(10).on],
  ["the last page of the history", (path) => wipe(path, leafOf(22).page, 0xff), leafOf(22).on],
  ["the page that leads to all messages", (path) => wipe(path, rootOf(path, "messages")), ids],
  ["the page that leads to the history", (path) => wipe(path, rootOf(path, "relay_history"), 0xff), olderIds],
  ["the format in the header", (path) => overwrite(path, 44, Uint8Array.of(9, 9, 9, 9)), [...olderIds, ...ids], 1],
  ["the header", (path) => overwrite(path, 0, zeros.subarray(0, 100)), [...olderIds, ...ids], 1],
];

const damageContent = (path: string) => overwrite(path, readFileSync(path).indexOf("A".repeat(4_000)) - 4, zeros);

test("a list of files reads none of their contents, so that a damaged one hides no message", async () => {
  await using box = sandbox();
  damageContent(place(box));
  const { status, stdout } = await box.relay(["log", "-n", "100", "--json"]);
  expect([status, stdout.match(/"kept":true/g)?.length]).toEqual([0, 4]);
});

describe("every message that SQLite reads is kept when damage hits", () => {
  test.each(damages)("%s", async (name, damage, lost = [], nextId = newest + 1) => {
    await using box = sandbox();
    const path = place(box);
    damage(path);
    const damaged = readFileSync(path);
    const keep = (all: Row[]) => all.filter(({ id }) => !lost.includes(id));
    const [kept, keptOlder] = [keep(rows), keep(older)];

    const { aside, unreadable, unreadable_history, ...result } = await repair(box);
    expect(result).toMatchObject({ status: 0, state: "repaired" });
    expect([result.saved, result.saved_history]).toEqual([kept, keptOlder].map(idsOf));
    expect([readableRows(path), readableRows(path, "relay_history")]).toEqual([kept, keptOlder]);
    if (nextId > 1) expect([...unreadable_history, ...unreadable].sort((a, b) => a - b)).toEqual(lost);
    const kinds = { "the table of files": "", "a file's content": ",B,A,B" };
    const whole = [5, 30].filter((id) => !lost.includes(id)).map(() => "A,B");
    expect(await filesIn(path)).toBe(kinds[name as keyof typeof kinds] ?? whole.join());
    expect(readFileSync(aside).equals(damaged)).toBe(true);
    for (const name of readdirSync(box.home))
      expect([name, statSync(join(box.home, name)).mode & 0o777]).toEqual([name, 0o600]);
    expect(readdirSync(box.home).filter((name) => name.includes("repair"))).toEqual([]);

    expect(await repair(box)).toMatchObject({ status: 0, state: "sound" });
    expect(await sendAll(box, "code", ["next"])).toEqual([nextId]);
    expect((await get(box, "code")).messages.at(-1)).toMatchObject({ id: nextId, message: "next" });
  });
});

test("it says which messages it saved, and where the damaged file is", async () => {
  await using box = sandbox();
  const [window, history] = [leafOf(newest), leafOf(22)];
  const path = place(box);
  for (const { page } of [window, history]) wipe(path, page, 0xff);
  const { status, stdout, stderr } = await box.relay(["doctor", "--repair"]);
  expect([status, stderr]).toEqual([0, ""]);
  const [aside = ""] = readdirSync(box.home).filter((name) => name.includes(".damaged-"));
  const list = (some: number[]) => `${plural(some.length, "message")} (${ranges(some)})`;
  expect(stdout).toBe(
    [
      `relay: the buffer ${box.buffer} was damaged, and a new one is in its place.`,
      `saved       ${list(ids.filter((id) => !window.on.includes(id)))}`,
      `history     ${list(olderIds.filter((id) => !history.on.includes(id)))}`,
      `not saved   ${list([...history.on, ...window.on])}`,
      `old file    ${join(box.home, aside)}`,
      "",
    ].join("\n"),
  );
});

const strangers: [name: string, make: (path: string) => void, sentence: string][] = [
  ["another program's database", makeNotes, "is another program's database"],
  [
    "another program's damaged database",
    (path) => {
      makeNotes(path);
      wipe(path, 2, 0xff);
    },
    "is another program's database",
  ],
  [
    "a buffer of a newer relay",
    (path) => {
      copyFileSync(full, path);
      using db = openPatiently(path);
      db.run("PRAGMA user_version = 2000");
    },
    "was written by a newer relay",
  ],
];

function makeNotes(path: string): void {
  using db = openPatiently(path);
  db.run("CREATE TABLE notes (text TEXT); CREATE TABLE messages (id INTEGER PRIMARY KEY, body TEXT)");
  db.run("INSERT INTO notes VALUES ('hello')");
}

describe("it refuses, and leaves alone,", () => {
  test.each(strangers)("%s", async (_name, make, sentence) => {
    await using box = sandbox();
    make(box.buffer);
    chmodSync(box.buffer, 0o600);
    const before = snapshot(box.home);
    const refused = await box.relay(["doctor", "--repair"]);
    expect(refused).toMatchObject({ status: 4, stdout: "", stderr: expect.stringContaining(sentence) });
    expect(snapshot(box.home)).toEqual(before);
  });

  test("a buffer that another program uses", async () => {
    await using box = sandbox();
    const path = place(box);
    wipe(path, rootOf(path, "sqlite_autoindex_relay_clients_1"));
    const before = snapshot(box.home); // a process that closes a file gives up its locks on it
    using other = openPatiently(path);
    other.run("BEGIN");
    other.query("SELECT * FROM messages LIMIT 1").all();
    const refused = await box.relay(["doctor", "--repair"]);
    expect(refused).toMatchObject({ status: 4, stdout: "" });
    expect(refused.stderr).toContain(`${path} is locked by another program`);
    expect(snapshot(box.home)).toEqual(before);
    other.run("ROLLBACK");
    expect(await repair(box)).toMatchObject({ status: 0, saved: ids });
  });
});

test("running servers say what to do, and go on in the repaired buffer", async () => {
  await using box = sandbox();
  const { desktop, code } = await connectBoth(box);
  await desktop.send("before");
  {
    using db = openPatiently(box.buffer);
    db.run("BEGIN IMMEDIATE"); // a server that wrote just now would put back what it read before
    wipe(box.buffer, rootOf(box.buffer, "messages"), 0xff);
    overwrite(box.buffer, 24, Uint8Array.of(1)); // as if another program wrote: the server forgets what it read
  }
  const answer = await desktop.call("relay_send", { message: "x" });
  expect(answer).toEqual({ isError: true, text: expect.stringContaining("`relay doctor --repair`") });
  expect(await repair(box)).toMatchObject({ status: 0, state: "repaired" });
  await desktop.send("after");
  expect(textsOf(await code.fetch())).toEqual(["after"]);
});

test("the person's own link stays, and the file that it leads to is repaired", async () => {
  await using box = sandbox();
  const real = join(box.home, "real.db");
  renameSync(place(box), real);
  symlinkSync("real.db", box.buffer);
  wipe(real, rootOf(real, "relay_dropped"), 0xff);
  expect((await repair(box)).aside).toStartWith(`${real}.damaged-`);
  expect(lstatSync(box.buffer).isSymbolicLink()).toBe(true);
  expect(readableRows(real)).toEqual(rows);
});

test("the damaged file goes with the messages when everything is purged, and nothing else does", async () => {
  await using box = sandbox();
  overwrite(place(box), 0, zeros.subarray(0, 100));
  const { aside } = await repair(box);
  writeFileSync(`${box.buffer}.damaged-by-me`, "");
  const purged = await box.relay(["uninstall", "--purge", "--yes"]);
  expect(purged.stdout).toContain(`relay: deleted ${aside}\n`);
  expect(readdirSync(box.home)).toEqual([basename(`${box.buffer}.damaged-by-me`)]);
});

test("a transaction that a crash left half-done is undone first", async () => {
  await using box = sandbox();
  const path = place(box);
  // a transaction too large for its cache is in the file before it is committed
  const script = `const { Database } = require("bun:sqlite");
    const db = new Database(${JSON.stringify(path)});
    db.run("PRAGMA cache_size = 2; PRAGMA journal_mode = TRUNCATE");
    db.run("BEGIN IMMEDIATE; UPDATE messages SET message = replace(message, 'message', 'garbled')");
    process.kill(process.pid, "SIGKILL");`;
  await Bun.spawn([process.execPath, "-e", script], { env: box.env }).exited;
  expect(readFileSync(path).includes("garbled")).toBe(true);
  wipe(path, rootOf(full, "sqlite_autoindex_relay_clients_1"));
  expect(await repair(box)).toMatchObject({ state: "repaired", saved: ids });
  expect(readableRows(path)).toEqual(rows);
});

test("kill -9 at any moment leaves the damaged file or the new one, and the next repair finishes", async () => {
  const left = new Set<string>();
  const kills = 20;
  for (let kill = 0; kill < kills || (left.size < 2 && kill < kills * 5); kill++) {
    await using box = sandbox();
    const path = place(box);
    wipe(path, rootOf(path, "sqlite_autoindex_relay_clients_1"));
    const child = Bun.spawn([relayBinary, "doctor", "--repair"], {
      env: box.env,
      stdio: ["ignore", "ignore", "ignore"],
    });
    await Bun.sleep((kill % kills) * 4);
    child.kill("SIGKILL");
    await child.exited;
    left.add(integrityOf(path) === "ok" ? "new" : "damaged");
    expect((await repair(box)).status).toBe(0);
    expect(readableRows(path)).toEqual(rows);
    expect(readdirSync(box.home).filter((name) => name.includes("repair"))).toEqual([]);
  }
  expect([...left].sort()).toEqual(["damaged", "new"]);
});
