import { Database } from "bun:sqlite";
import { clients, isClient } from "../core/client.ts";
import { RelayError } from "../core/errors.ts";
import type { Salvage, SavedRow } from "./salvage.ts";
import { migrate } from "./schema.ts";
import type { StoredValue } from "./sqlite-record.ts";

/**
 * Writes what was saved into the empty file at this path, as a buffer of this binary's schema. Messages that are lost
 * though their ids are known are recorded, so that both sides are told. The file is nobody's yet: it is neither
 * journaled nor flushed. Throws a `failed` error if what was written is not what is read again.
 */
export function rebuild(path: string, { messages, cut, losses, readers, lastId }: Salvage): void {
  using db = new Database(path, { readwrite: true, create: false, strict: true });
  db.run("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
  migrate(db, path);
  db.run("BEGIN IMMEDIATE");
  for (const row of messages) insert(db, "messages", row);
  for (const row of losses) insert(db, "relay_losses", row);
  for (const row of readers) insert(db, "relay_readers", row);
  for (const { id, sender } of cut) if (isClient(sender)) recordLoss(db, id, sender);
  const { changes } = db
    .query("UPDATE sqlite_sequence SET seq = $lastId WHERE name = 'messages'")
    .run({ lastId });
  if (changes === 0) {
    db.query("INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', $lastId)").run({ lastId });
  }
  db.run("COMMIT");
  verify(db, messages.length);
}

function insert(db: Database, table: string, row: SavedRow): void {
  const entries = Object.entries(row).filter(([, value]) => value !== null); // what is left out is what it was by default
  const places = entries.map(([, value]) => (isText(value) ? "CAST(? AS TEXT)" : "?"));
  const columns = entries.map(([name]) => `"${name}"`);
  const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places.join(", ")})`;
  db.query<unknown, (null | number | Uint8Array)[]>(sql).run(...entries.map(([, value]) => bound(value)));
}

function isText(value: StoredValue): value is { text: Uint8Array } {
  return typeof value === "object" && value !== null && "text" in value;
}

function bound(value: StoredValue): null | number | Uint8Array {
  if (typeof value !== "object" || value === null) return value;
  return "text" in value ? value.text : value.blob;
}

function recordLoss(db: Database, id: number, sender: string): void {
  for (const audience of clients) {
    db.query(
      `INSERT INTO relay_losses (audience, message_id, sender, cleared_by) VALUES ($audience, $id, $sender, 'damage')`,
    ).run({ audience, id, sender });
  }
}

function verify(db: Database, count: number): void {
  const [check] = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
  const written = db.query<{ n: number }, []>("SELECT count(*) AS n FROM messages").get()?.n;
  if (check?.integrity_check === "ok" && written === count) return;
  throw new RelayError(
    "failed",
    "what was saved cannot be read again, so nothing was changed. Check the disk.",
  );
}
