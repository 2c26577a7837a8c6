import { Database } from "bun:sqlite";
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { RelayError } from "../core/errors.ts";
import { lockMs } from "../core/limits.ts";
import type { Message } from "../core/message.ts";
import { typedIn } from "./columns.ts";
import { acceptBufferFile, companionsOf, createBufferFile, fileError, tighten } from "./file.ts";
import { migrate, recognize } from "./schema.ts";
import { codeOf, explain, isBusy, isDamage } from "./sqlite-errors.ts";

/** The outcome of a repair. */
export type Repair =
  | { state: "absent" }
  | { state: "sound" }
  | {
      state: "repaired";
      /** The ids of the messages in the new file. */
      saved: number[];
      /** The ids that cannot be read, perhaps of messages that had left the buffer before. */
      unreadable: number[];
      /** The path that the damaged file has now. */
      aside: string;
    };

interface Found {
  saved: (Message & { redelivered: number })[];
  unreadable: number[];
  /** The highest id that the file has given. */
  lastId: number;
}

// The buffer holds 20 messages, so a damaged page has few ids. No more than this are tried one by one.
const widestGap = 10_000;

/**
 * Replaces a damaged buffer with a new file that has every message SQLite still reads, and keeps the damaged one beside
 * it. A file with a destroyed header gives an empty one; a sound file is left alone. Throws a `buffer` error, with
 * nothing changed, if another program uses the file or owns it.
 */
export function repairBuffer(path: string, clock: Clock): Repair {
  const file = acceptBufferFile(path);
  if (!file) return { state: "absent" };
  let damaged: Database | undefined;
  try {
    damaged = openDamaged(file);
    if (damaged && isSound(damaged, path)) return { state: "sound" };
    const next = `${file}.repair-next`;
    const aside = `${file}.damaged-${new Date(clock.now()).toISOString().replace(/[-:]/g, "")}`;
    try {
      copyFileSync(file, aside); // before the lock: closing any descriptor of the file ends it
      tighten(aside);
      if (damaged) lock(damaged);
      const found = damaged ? readRows(damaged) : { saved: [], unreadable: [], lastId: 0 };
      writeRows(next, path, found);
      if (process.platform === "win32") damaged?.close(); // Windows replaces no open file
      replaceFile(file, aside, next);
      const { saved, unreadable } = found;
      return { state: "repaired", saved: saved.map(({ id }) => id), unreadable, aside };
    } catch (error) {
      for (const leftover of [aside, next]) rmSync(leftover, { force: true });
      throw error;
    }
  } catch (error) {
    const isExplained = error instanceof RelayError || codeOf(error).startsWith("SQLITE_");
    throw isExplained ? explain(error, path) : fileError(path, error);
  } finally {
    damaged?.close();
  }
}

/** Renames `next` to the file, so that one of the two is at the path at every moment. */
function replaceFile(file: string, aside: string, next: string): void {
  // SQLite would play a journal left behind into the new file
  for (const companion of companionsOf(file))
    if (existsSync(companion)) renameSync(companion, `${aside}${companion.slice(file.length)}`);
  renameSync(next, file);
}

// Endings of the names in which a buffer, its repair and a damaged copy stand, and of SQLite's files beside each.
const endings = /^(\.repair-next|\.damaged-\d{8}T[\d.]+Z)?(-journal|-wal|-shm)?$/;

/** The paths of all files of a buffer, a link to it included. Throws a `buffer` error if it may not be the buffer. */
export function filesOfBuffer(path: string): string[] {
  const file = acceptBufferFile(path) ?? path;
  const [folder, name] = [dirname(file), basename(file)];
  const beside = existsSync(folder) ? readdirSync(folder) : [];
  const ours = beside.filter((other) => other.startsWith(name) && endings.test(other.slice(name.length)));
  return [...(file === path ? [] : [path]), ...ours.map((other) => join(folder, other))];
}

/** Opens a damaged file; `undefined` if SQLite does not recognize it as a database. */
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
    recognize(db, path); // RELAY_DB may name another program's damaged file by mistake
    const found = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
    return found.length === 1 && found[0]?.integrity_check === "ok";
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
    // a file too damaged to be locked cannot be written either
  }
}

/** Reads every message by itself, so that a damaged page costs only its own messages. */
function readRows(db: Database): Found {
  const one = prepareRead(db);
  const saved: Found["saved"] = [];
  const unreadable: number[] = [];
  const lastId = readLastId(db);
  const ids = readIds(db, lastId);
  for (const id of ids) {
    try {
      const row = one.get({ id });
      if (!row) continue;
      if (row.sender !== null && row.message !== null && row.timestamp !== null) saved.push(row);
      else unreadable.push(id);
    } catch {
      unreadable.push(id);
    }
  }
  return { saved, unreadable, lastId: Math.max(lastId, ...ids) };
}

function prepareRead(db: Database) {
  const read = (redelivered: string, typed: string) =>
    db.prepare<Found["saved"][number], { id: number }>(
      `SELECT id, sender, CAST(message AS TEXT) AS message, CAST(timestamp AS TEXT) AS timestamp,
         read_by_desktop_at, read_by_code_at, ${redelivered} AS redelivered, ${typed} AS typed_in
       FROM messages WHERE id = $id`,
    );
  try {
    return read("(redelivered OR leased_at IS NOT NULL)", typedIn);
  } catch {
    return read("0", "NULL"); // the original's table has no such columns
  }
}

function readLastId(db: Database): number {
  try {
    const row = db.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").get();
    return row && isId(row.seq) ? row.seq : 0;
  } catch {
    return 0;
  }
}

/** The ids that can be read from both ends of the table, and all ids between. */
function readIds(db: Database, lastId: number): number[] {
  const rising = readUntilDamage(db, "ASC");
  const falling = readUntilDamage(db, "DESC");
  const to = falling.at(-1) ?? lastId + 1;
  const from = Math.max(rising.at(-1) ?? 0, to - widestGap);
  const between = Array.from({ length: Math.max(0, to - from - 1) }, (_, index) => from + 1 + index);
  return [...new Set([...rising, ...between, ...falling])].sort((a, b) => a - b);
}

function readUntilDamage(db: Database, order: "ASC" | "DESC"): number[] {
  const ids: number[] = [];
  try {
    const rows = db.query<{ id: number }, []>(`SELECT id FROM messages ORDER BY id ${order}`);
    for (const { id } of rows.iterate()) if (isId(id)) ids.push(id);
  } catch {} // the rest is damaged
  return ids;
}

// A damaged page may hold any number.
function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function writeRows(next: string, path: string, { saved, lastId }: Found): void {
  for (const leftover of [next, ...companionsOf(next)]) rmSync(leftover, { force: true }); // from a killed repair
  createBufferFile(next);
  const db = new Database(next, { readwrite: true, create: false, strict: true });
  try {
    db.run("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON");
    migrate(db, path, 0);
    const insert = db.prepare(
      `INSERT INTO messages
         (id, sender, message, timestamp, read_by_desktop_at, read_by_code_at, redelivered, typed_in, notified_at)
       VALUES ($id, $sender, $message, $timestamp, $read_by_desktop_at, $read_by_code_at, $redelivered, $typed_in, $timestamp)`,
    );
    db.transaction(() => {
      for (const row of saved) insert.run({ ...row });
      db.run("DELETE FROM sqlite_sequence WHERE name = 'messages'");
      db.query("INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', $lastId)").run({ lastId });
    })();
  } finally {
    db.close();
  }
}
