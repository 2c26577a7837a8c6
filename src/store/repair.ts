import { Database } from "bun:sqlite";
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { RelayError } from "../core/errors.ts";
import { lockMs } from "../core/limits.ts";
import { acceptBufferFile, companionsOf, createBufferFile, fileError, tighten } from "./file.ts";
import { restore, type Salvage, salvage } from "./salvage.ts";
import { migrate, recognize } from "./schema.ts";
import { codeOf, explain, isBusy, isDamage } from "./sqlite-errors.ts";

/** The outcome of a repair. */
export type Repair =
  | { state: "absent" }
  | { state: "sound" }
  | {
      state: "repaired";
      /** The ids of the messages in the new file's window. */
      saved: number[];
      /** The ids that cannot be read in the window, perhaps of messages that had left it before. */
      unreadable: number[];
      /** The same of the history. */
      saved_history: number[];
      unreadable_history: number[];
      /** The path that the damaged file has now. */
      aside: string;
    };

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
      const found = damaged ? salvage(damaged) : nothing;
      write(next, path, found);
      if (process.platform === "win32") damaged?.close(); // Windows replaces no open file
      replaceFile(file, aside, next);
      return { state: "repaired", ...idsOf(found), aside };
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

const nothing: Salvage = {
  window: { saved: [], unreadable: [] },
  history: { saved: [], unreadable: [] },
  files: new Map(),
  lastId: 0,
};

function idsOf({ window, history }: Salvage) {
  return {
    saved: window.saved.map(({ id }) => id),
    unreadable: window.unreadable,
    saved_history: history.saved.map(({ id }) => id),
    unreadable_history: history.unreadable,
  };
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

/** Makes a new file with these messages. */
function write(next: string, path: string, found: Salvage): void {
  for (const leftover of [next, ...companionsOf(next)]) rmSync(leftover, { force: true }); // from a killed repair
  createBufferFile(next);
  const db = new Database(next, { readwrite: true, create: false, strict: true });
  try {
    db.run("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON");
    migrate(db, path, 0);
    restore(db, found);
  } finally {
    db.close();
  }
}
