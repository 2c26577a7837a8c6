import type { Database } from "bun:sqlite";
import type { StoredAttachment } from "../core/attachment.ts";
import type { Message } from "../core/message.ts";
import { insertFiles, salvageFiles } from "./attached-files.ts";
import { messageColumns, typedIn } from "./columns.ts";

type Table = "messages" | "relay_history";

type Row = Omit<Message, "files"> & { redelivered: number; left_at: number };

/** The rows that can be read in one table, and the ids of those that cannot. */
interface Rows {
  saved: Row[];
  unreadable: number[];
}

/** Everything that SQLite still reads of a damaged buffer. */
export interface Salvage {
  window: Rows;
  history: Rows;
  /** The files of both, by the ids of their messages. */
  files: Map<number, StoredAttachment[]>;
  /** The highest id that the file has given. */
  lastId: number;
}

// The window holds 20 messages and the history 1,000, so a damaged page has few ids. No more than this are tried one by one.
const widestGap = 10_000;

/** Reads every message by itself, so that a damaged page costs only its own messages. */
export function salvage(db: Database): Salvage {
  const lastId = readLastId(db);
  const [window, history] = [readRows(db, "messages", lastId), readRows(db, "relay_history", lastId)];
  const saved = new Set([window, history].flatMap((rows) => rows.saved.map(({ id }) => id)));
  const isLost = (id: number) => !saved.has(id);
  return {
    window: { ...window, unreadable: window.unreadable.filter(isLost) },
    history: { ...history, unreadable: history.unreadable.filter(isLost) },
    files: new Map([...saved].map((id) => [id, salvageFiles(db, id)])),
    lastId: Math.max(lastId, ...saved, ...window.unreadable),
  };
}

/** Puts the messages into an empty buffer. */
export function restore(db: Database, { window, history, files, lastId }: Salvage): void {
  const values = messageColumns.replaceAll(/\w+/g, "$$$&");
  const message = db.prepare(
    `INSERT INTO messages (${messageColumns}, redelivered, notified_at) VALUES (${values}, $redelivered, $timestamp)`,
  );
  const left = db.prepare(
    `INSERT INTO relay_history (${messageColumns}, left_at, bytes) VALUES (${values}, $left_at, length(CAST($message AS BLOB)))`,
  );
  db.transaction(() => {
    for (const { left_at: _, ...row } of window.saved) message.run(row);
    for (const { redelivered: _, ...row } of history.saved) left.run(row);
    for (const [id, found] of files) insertFiles(db, id, found);
    db.run("DELETE FROM sqlite_sequence WHERE name = 'messages'");
    db.query("INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', $lastId)").run({ lastId });
  })();
}

function readRows(db: Database, table: Table, lastId: number): Rows {
  const rows: Rows = { saved: [], unreadable: [] };
  const one = prepareRead(db, table);
  if (!one) return rows;
  for (const id of readIds(db, table, lastId)) {
    try {
      const row = one.get({ id });
      if (!row) continue;
      if (row.sender !== null && row.message !== null && row.timestamp !== null) rows.saved.push(row);
      else rows.unreadable.push(id);
    } catch {
      rows.unreadable.push(id);
    }
  }
  return rows;
}

/** The statement that reads a row; `null` without such a table. */
function prepareRead(db: Database, table: Table) {
  const read = (ours: string) =>
    db.prepare<Row, { id: number }>(
      `SELECT id, sender, CAST(message AS TEXT) AS message, CAST(timestamp AS TEXT) AS timestamp,
         read_by_desktop_at, read_by_code_at, ${ours} FROM ${table} WHERE id = $id`,
    );
  const ours = `${typedIn} AS typed_in, project, reply_to`;
  const ways = {
    messages: [
      `${ours}, (redelivered OR leased_at IS NOT NULL) AS redelivered, 0 AS left_at`,
      // the original's table has no such columns
      "NULL AS typed_in, NULL AS project, NULL AS reply_to, 0 AS redelivered, 0 AS left_at",
    ],
    relay_history: [`${ours}, 0 AS redelivered, CAST(left_at AS INTEGER) AS left_at`],
  };
  for (const way of ways[table]) {
    try {
      return read(way);
    } catch {}
  }
  return null;
}

function readLastId(db: Database): number {
  try {
    const row = db.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").get();
    return row && isId(row.seq) ? row.seq : 0;
  } catch {
    return 0;
  }
}

/** The ids that can be read from both ends of a table, and all ids between. */
function readIds(db: Database, table: Table, lastId: number): number[] {
  const rising = readUntilDamage(db, table, "ASC");
  const falling = readUntilDamage(db, table, "DESC");
  const to = falling.at(-1) ?? lastId + 1;
  const from = Math.max(rising.at(-1) ?? 0, to - widestGap);
  const between = Array.from({ length: Math.max(0, to - from - 1) }, (_, index) => from + 1 + index);
  return [...new Set([...rising, ...between, ...falling])].sort((a, b) => a - b);
}

function readUntilDamage(db: Database, table: Table, order: "ASC" | "DESC"): number[] {
  const ids: number[] = [];
  try {
    const rows = db.query<{ id: number }, []>(`SELECT id FROM ${table} ORDER BY id ${order}`);
    for (const { id } of rows.iterate()) if (isId(id)) ids.push(id);
  } catch {} // the rest is damaged
  return ids;
}

// A damaged page may hold any number.
function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}
