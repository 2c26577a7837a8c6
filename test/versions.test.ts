// An older and a newer relay on one buffer, at once, before, during and after a migration. design.md, "The file".
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../build/compile.ts";
import { openPatiently } from "./support/database.ts";
import { connect, textsOf } from "./support/peer.ts";
import { get, relayBinary, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";

setDefaultTimeout(180_000); // many programs have to start

const root = join(import.meta.dir, "..");
const compiling = 120_000;

// What a later relay may do: a column and a table of its own, of which this one knows nothing.
const nextMigration = `function addNext(db: Database): void {
  addColumn(db, "priority INTEGER NOT NULL DEFAULT 0");
  db.run("CREATE TABLE IF NOT EXISTS relay_next (message_id INTEGER PRIMARY KEY)");
  db.run(\`CREATE TRIGGER IF NOT EXISTS relay_note_next AFTER INSERT ON messages BEGIN
    INSERT INTO relay_next (message_id) VALUES (NEW.id); END\`);
}`;

let folder: string;
let newer: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "relay-test-versions-"));
  newer = join(folder, "relay-newer");
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  cpSync(join(root, "src"), join(folder, "src"), { recursive: true });
  const schema = join(folder, "src/store/schema.ts");
  const source = readFileSync(schema, "utf8");
  writeFileSync(schema, source.replace("\n];", `\n  addNext,\n];\n\n${nextMigration}`)); // the end of the list of migrations
  await compile({ entry: join(folder, "src/main.ts"), outfile: newer });
}, compiling);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function rowsOf(box: Sandbox, sql: string): unknown[] {
  using db = openPatiently(box.buffer);
  return db.query(sql).all();
}

function look(box: Sandbox): { version: number; noted: number; sound: string } {
  using db = openPatiently(box.buffer);
  const one = (sql: string) => Object.values(db.query(sql).get() as Record<string, unknown>)[0];
  const hasNotes = one("SELECT count(*) FROM sqlite_schema WHERE name = 'relay_next'") === 1;
  return {
    version: one("PRAGMA user_version") as number,
    noted: hasNotes ? (one("SELECT count(*) FROM relay_next") as number) : 0,
    sound: one("PRAGMA integrity_check") as string,
  };
}

test("servers of the older one go on while a newer one migrates the file under them, both ways", async () => {
  await using box = sandbox();
  const of = (command: string, client: string) => connect(box, { command, args: ["--client", client] });
  const old = { desktop: await of(relayBinary, "desktop"), code: await of(relayBinary, "code") };
  await old.desktop.send("before");
  await old.code.send("before, too");
  const { version } = look(box);

  const migrating = Array.from({ length: 4 }, (_, n) =>
    box.run([newer, "send", "--to", "code", `${n}`], { env: { RELAY_NOTIFY: "off" } }),
  );
  const meanwhile = [old.desktop.send("4"), box.relay(["send", "--to", "code", "5"])];
  for (const sent of await Promise.all(migrating)) expect(sent).toMatchObject({ status: 0, stderr: "" });
  await Promise.all(meanwhile);
  expect(look(box)).toMatchObject({ version: version + 1, sound: "ok" });

  const young = { desktop: await of(newer, "desktop"), code: await of(newer, "code") };
  const shown = [...textsOf(await old.code.fetch({ limit: 3 })), ...textsOf(await young.code.fetch({ limit: 20 }))];
  expect(shown.sort()).toEqual(["0", "1", "2", "3", "4", "5", "before"]);
  const { noted } = look(box);
  for (let round = 0; round < 15; round++) {
    await Promise.all([old.desktop.send(`old ${round}`), young.desktop.send(`young ${round}`)]);
    const pages = await Promise.all([old.code.fetch(), young.code.fetch()]);
    expect(pages.flatMap(textsOf).sort()).toEqual([`old ${round}`, `young ${round}`]);
  }
  expect(textsOf(await young.desktop.fetch())).toEqual(["before, too"]); // what was read had to go first
  expect(look(box)).toEqual({ version: version + 1, noted: noted + 30, sound: "ok" });
});

/** A buffer as relay made it before its columns and tables had the names of today. */
function makeSchema1005(path: string): void {
  using db = new Database(path);
  db.run(`CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, message TEXT NOT NULL,
      timestamp TEXT NOT NULL, read_by_desktop_at TEXT, read_by_code_at TEXT, claim TEXT, claimed_at INTEGER,
      maybe_shown INTEGER NOT NULL DEFAULT 0, notified_at TEXT, notify_lease TEXT, notify_claimed_at INTEGER,
      notify_tries INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE relay_losses (number INTEGER PRIMARY KEY AUTOINCREMENT, audience TEXT NOT NULL,
      message_id INTEGER NOT NULL, sender TEXT NOT NULL, cleared_by TEXT, claim TEXT, claimed_at INTEGER);
    CREATE TRIGGER relay_record_loss AFTER DELETE ON messages
      WHEN (OLD.sender = 'desktop' AND OLD.read_by_code_at IS NULL)
        OR (OLD.sender = 'code' AND OLD.read_by_desktop_at IS NULL)
      BEGIN
        INSERT INTO relay_losses (audience, message_id, sender) VALUES ('desktop', OLD.id, OLD.sender);
        INSERT INTO relay_losses (audience, message_id, sender) VALUES ('code', OLD.id, OLD.sender);
      END;
    CREATE TABLE relay_readers (client TEXT PRIMARY KEY, notify INTEGER, sound TEXT, lease TEXT, leased_at INTEGER);
    CREATE TABLE relay_tickets (session TEXT NOT NULL, process INTEGER NOT NULL, words TEXT NOT NULL,
      minted_at INTEGER NOT NULL);
    PRAGMA user_version = 1005`);
  const insert = db.query(`INSERT INTO messages
    (sender, message, timestamp, read_by_code_at, claim, claimed_at, maybe_shown, notified_at)
    VALUES (?, ?, '2026-11-23T07:12:04.000Z', ?, ?, ?, ?, '2026-11-23T07:12:05.000Z')`);
  for (const text of ["dropped", "cleared"]) insert.run("desktop", text, null, null, null, 0);
  insert.run("desktop", "read", "2026-11-23T08:00:00.000Z", null, null, 0);
  insert.run("desktop", "labelled", null, null, null, 1);
  insert.run("desktop", "claimed long ago", null, "a claim", 1_700_000_000_000, 0);
  insert.run("desktop", "x".repeat(30_000), null, null, null, 0);
  insert.run("code", "for Desktop", null, null, null, 0);
  db.run(
    `DELETE FROM messages WHERE id <= 2; UPDATE relay_losses SET cleared_by = 'command line' WHERE message_id = 2`,
  );
  db.run(`INSERT INTO relay_readers (client, notify, sound) VALUES ('code', 1, 'bell')`);
  db.run(`INSERT INTO relay_tickets VALUES ('session', 7, 'again', ${Date.now()})`);
}

/** The same buffer as relay kept it before it had a history and projects. */
async function makeSchema1008(box: Sandbox): Promise<void> {
  makeSchema1005(box.buffer);
  await expectEverything(box);
  using db = openPatiently(box.buffer);
  db.run(`DROP TRIGGER relay_keep_history; DROP TRIGGER relay_record_dropped; DROP TABLE relay_history;
    DROP TABLE relay_projects; ALTER TABLE relay_dropped DROP COLUMN project;
    ALTER TABLE messages DROP COLUMN project; ALTER TABLE messages DROP COLUMN reply_to;
    CREATE TRIGGER relay_record_dropped AFTER DELETE ON messages
      WHEN (OLD.sender = 'desktop' AND OLD.read_by_code_at IS NULL)
        OR (OLD.sender = 'code' AND OLD.read_by_desktop_at IS NULL)
      BEGIN
        INSERT OR REPLACE INTO relay_dropped (message_id, reader)
          VALUES (OLD.id, CASE OLD.sender WHEN 'desktop' THEN 'code' ELSE 'desktop' END);
      END;
    PRAGMA user_version = 1008`);
}

/** What Code gets from such a buffer. */
async function expectEverything(box: Sandbox): Promise<void> {
  const { messages, dropped, cleared } = await get(box, "code", "--peek", "--all");
  expect(messages.map(({ id, maybe_shown }) => [id, maybe_shown])).toEqual([
    [3, false],
    [4, true],
    [5, true],
    [6, false],
  ]);
  expect([dropped, cleared]).toEqual([[1], [2]]);
}

test("a buffer of the schema before the tables had the names of today is migrated with all that it holds", async () => {
  await using box = sandbox();
  makeSchema1005(box.buffer);
  await expectEverything(box);
  expect(look(box)).toMatchObject({ version: 1_012, sound: "ok" });
  const status = JSON.parse((await box.relay(["status", "--json"])).stdout);
  expect(status).toMatchObject({ total: 5, unread: { desktop: 1, code: 3 } });
  expect(rowsOf(box, "SELECT client, notify, sound FROM relay_clients")).toEqual([
    { client: "code", notify: 1, sound: "bell" },
  ]);
  expect(rowsOf(box, "SELECT * FROM relay_tickets")).toEqual([]); // a ticket lives for seconds
  expect(rowsOf(box, "SELECT name FROM sqlite_schema WHERE name GLOB 'relay_[lr]*'")).toEqual([
    { name: "relay_record_dropped" },
  ]);

  expect(await sendAll(box, "code", ["next"])).toEqual([8]);
  const { messages } = await get(box, "code");
  expect(messages.map(({ id }) => id)).toEqual([4, 5, 6, 8]);
  await box.relay(["clear", "--yes"]);
  expect((await get(box, "desktop")).cleared).toEqual([7]);
});

test("a buffer of the schema before deliveries and the person's own messages were noted is migrated, and goes on to note them", async () => {
  await using box = sandbox();
  const delivered = async () => JSON.parse((await box.relay(["status", "--json"])).stdout).delivered.code;
  await sendAll(box, "code", ["one"]);
  using db = openPatiently(box.buffer);
  db.run(`DROP TRIGGER relay_keep_history; DROP TABLE relay_deliveries; ALTER TABLE relay_tickets DROP COLUMN project;
    ALTER TABLE relay_tickets DROP COLUMN refused;
    ALTER TABLE messages DROP COLUMN typed_in; PRAGMA user_version = 1006`);
  expect(await delivered()).toBeNull();
  expect(look(box)).toMatchObject({ version: 1_012, sound: "ok" });
  await get(box, "code");
  expect(await delivered()).toMatchObject({ count: 1, origin: "command" });
});

test.each<[version: number, make: (box: Sandbox) => unknown]>([
  [1_005, ({ buffer }) => makeSchema1005(buffer)],
  [1_008, makeSchema1008],
])("kill -9 at any moment of a migration from %d leaves a buffer with everything in it", async (version, make) => {
  await using box = sandbox();
  await make(box);
  const old = readFileSync(box.buffer);
  const kills = 40;
  const left = new Set<number>();
  for (let kill = 0; kill < kills || (left.size < 2 && kill < kills * 10); kill++) {
    rmSync(`${box.buffer}-journal`, { force: true });
    writeFileSync(box.buffer, old, { mode: 0o600 });
    const argv = [relayBinary, "get", "--for", "code", "--peek"];
    const child = Bun.spawn(argv, { env: box.env, stdio: ["ignore", "ignore", "ignore"] });
    await Bun.sleep((kill % kills) * 2 * Math.ceil((kill + 1) / kills)); // a busy machine is slower than the first round
    child.kill("SIGKILL");
    await child.exited;
    left.add(look(box).version);
    await expectEverything(box);
    expect(look(box)).toMatchObject({ version: 1_012, sound: "ok" });
  }
  expect([...left].sort()).toEqual([version, 1_012]); // some before it, some after it
  using db = openPatiently(box.buffer);
  db.run("DELETE FROM messages WHERE id IN (3, 7)"); // as the original evicts
  expect((await get(box, "desktop")).dropped).toEqual([7]);
  expect(rowsOf(box, "SELECT id, message FROM relay_history")).toEqual([
    { id: 3, message: "read" },
    { id: 7, message: "for Desktop" },
  ]);
});

test("servers leave a file alone that became one of a newer major while they had it open", async () => {
  await using box = sandbox();
  const desktop = await connect(box, { args: ["--client", "desktop"] });
  const code = await connect(box, { args: ["--client", "code"] });
  await desktop.send("before");
  const { version } = look(box);
  setVersion(box, 2_001);
  const bytes = readFileSync(box.buffer);
  const sentence = `relay: ${box.buffer} was written by a newer relay (schema 2001). Upgrade this one.`;
  for (const answer of [
    await desktop.call("relay_send", { message: "x" }),
    await code.call("relay_fetch"),
    await code.call("relay_clear"),
  ])
    expect(answer).toEqual({ isError: true, text: sentence });
  await Bun.sleep(2_500); // the servers look for messages to announce
  expect(readFileSync(box.buffer).equals(bytes)).toBe(true);
  setVersion(box, version);
  expect(textsOf(await code.fetch())).toEqual(["before"]);
});

function setVersion(box: Sandbox, version: number): void {
  using db = openPatiently(box.buffer);
  db.run(`PRAGMA user_version = ${version}`);
}
