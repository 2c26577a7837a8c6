import { Database } from "bun:sqlite";
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { RelayError } from "../core/errors.ts";
import { lockMs } from "../core/limits.ts";
import { acceptBufferFile, companionsOf, createBufferFile, fileError } from "./file.ts";
import { migrate, recognize } from "./schema.ts";
import { codeOf, explain, isBusy, isDamage } from "./sqlite-errors.ts";

/** What a repair found and did. */
export type Repair =
  | { state: "absent" }
  | { state: "sound" }
  | {
      state: "repaired";
      /** The ids of the messages in the new file. */
      saved: number[];
      /** The ids of messages that SQLite knows of and cannot read. */
      unreadable: number[];
      /** Where the damaged file is kept. */
      aside: string;
    };

interface Row {
  id: number;
  sender: string;
  message: string;
  timestamp: string;
  read_by_desktop_at: string | null;
  read_by_code_at: string | null;
}

interface Found {
  saved: Row[];
  unreadable: number[];
  /** The highest id that the file ever gave. */
  lastId: number;
}

// The buffer holds 20 messages, so gaps between ids are small; a wider one is not searched id by id.
const widestGap = 10_000;

/**
 * Puts a new file with every message that SQLite still reads in the place of a damaged buffer, which is kept beside it. A
 * file whose header is destroyed gives an empty one; a sound file is left alone. Throws a `buffer` error, with nothing
 * changed, if another program uses the file or owns it.
 */
export function repairBuffer(path: string, clock: Clock): Repair {
  const file = acceptBufferFile(path);
  if (!file) return { state: "absent" };
  let damaged: Database | undefined;
  try {
    damaged = openDamaged(file);
    if (damaged && isSound(damaged, path)) return { state: "sound" };
    if (damaged) lock(damaged);
    const found: Found = damaged ? readRows(damaged) : { saved: [], unreadable: [], lastId: 0 };
    const next = `${file}.repair-next`;
    writeRows(next, path, found);
    const aside = `${file}${asideMark}${new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, "")}`;
    if (process.platform === "win32") damaged?.close(); // Windows moves no open file; elsewhere the lock holds until then
    moveAside(file, aside);
    renameSync(next, file);
    return { state: "repaired", saved: found.saved.map(({ id }) => id), unreadable: found.unreadable, aside };
  } catch (error) {
    const known = error instanceof RelayError || codeOf(error).startsWith("SQLITE_");
    throw known ? explain(error, path) : fileError(path, error);
  } finally {
    damaged?.close();
  }
}

const asideMark = ".damaged-";

/** The files that repairs of this buffer set aside, and their companions. */
export function filesSetAside(path: string): string[] {
  const mark = `${basename(path)}${asideMark}`;
  const names = existsSync(dirname(path)) ? readdirSync(dirname(path)) : [];
  return names.filter((name) => name.startsWith(mark)).map((name) => join(dirname(path), name));
}

/** The file as SQLite has it; `undefined` if SQLite does not take it for a database. */
function openDamaged(file: string): Database | undefined {
  const db = new Database(file, { readwrite: true, create: false, strict: true });
  try {
    db.run(`PRAGMA busy_timeout = ${lockMs}`);
    db.query("SELECT count(*) FROM sqlite_schema").get();
    return db;
  } catch (error) {
    db.close();
    if (isDamage(error)) return undefined;
    throw error;
  }
}

function isSound(db: Database, path: string): boolean {
  try {
    const found = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
    if (found.length !== 1 || found[0]?.integrity_check !== "ok") return false;
    recognize(db, path);
    return true;
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

function lock(db: Database): void {
  try {
    db.run("BEGIN EXCLUSIVE");
  } catch (error) {
    if (isBusy(error)) throw error;
    // a file too damaged to be locked can be written by nobody else either
  }
}

/** Every message that SQLite reads, one by one: a damaged page costs only the messages on it. */
function readRows(db: Database): Found {
  const one = db.prepare<Row, { id: number }>(
    `SELECT id, sender, CAST(message AS TEXT) AS message, CAST(timestamp AS TEXT) AS timestamp,
       read_by_desktop_at, read_by_code_at FROM messages WHERE id = $id`,
  );
  const saved: Row[] = [];
  const unreadable: number[] = [];
  for (const id of readIds(db)) {
    try {
      const row = one.get({ id });
      if (!row) continue;
      if (row.sender !== null && row.message !== null && row.timestamp !== null) saved.push(row);
      else unreadable.push(id);
    } catch {
      unreadable.push(id);
    }
  }
  return { saved, unreadable, lastId: readLastId(db) };
}

function readLastId(db: Database): number {
  try {
    const row = db
      .query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
      .get();
    return row?.seq ?? 0;
  } catch {
    return 0;
  }
}

/** The ids from both ends of the table as far as they can be read, and those between. */
function readIds(db: Database): number[] {
  const rising = readUntilDamage(db, "ASC");
  const falling = readUntilDamage(db, "DESC");
  const known = new Set([...rising, ...falling]);
  const from = rising.at(-1) ?? 0;
  const to = falling.at(-1) ?? 0;
  if (to - from <= widestGap) for (let id = from + 1; id < to; id++) known.add(id);
  return [...known].sort((a, b) => a - b);
}

function readUntilDamage(db: Database, order: "ASC" | "DESC"): number[] {
  const ids: number[] = [];
  try {
    for (const { id } of db
      .query<{ id: number }, []>(`SELECT id FROM messages ORDER BY id ${order}`)
      .iterate())
      ids.push(id);
  } catch {} // the rest is damaged
  return ids;
}

function writeRows(next: string, path: string, { saved, lastId }: Found): void {
  for (const leftover of [next, ...companionsOf(next)]) rmSync(leftover, { force: true }); // of a killed repair
  createBufferFile(next);
  const db = new Database(next, { readwrite: true, create: false, strict: true });
  try {
    db.run("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON");
    migrate(db, path);
    const insert = db.prepare(
      `INSERT INTO messages (id, sender, message, timestamp, read_by_desktop_at, read_by_code_at, notified_at)
       VALUES ($id, $sender, $message, $timestamp, $read_by_desktop_at, $read_by_code_at, $timestamp)`,
    );
    db.transaction(() => {
      for (const row of saved) insert.run({ ...row });
      db.run("DELETE FROM sqlite_sequence WHERE name = 'messages'");
      const newest = Math.max(lastId, ...saved.map(({ id }) => id));
      db.query("INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', $newest)").run({ newest });
    })();
  } finally {
    db.close();
  }
}

// A journal that stayed behind would be played into the new file.
function moveAside(file: string, aside: string): void {
  for (const companion of companionsOf(file))
    if (existsSync(companion)) renameSync(companion, `${aside}${companion.slice(file.length)}`);
  renameSync(file, aside);
}
