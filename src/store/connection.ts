import { Database } from "bun:sqlite";
import { RelayError } from "../core/errors.ts";
import {
  acceptBufferFile,
  createBufferFile,
  type FileIdentity,
  identify,
  isSame,
  mendCompanions,
  tighten,
} from "./file.ts";
import { migrate, recognize } from "./schema.ts";

// One try for a lock blocks the process's loop, so it is short; between tries signals, cancels and pings are served.
const tryMilliseconds = 50;

/** The buffer file, open. */
export interface Connection {
  db: Database;
  identity: FileIdentity;
  /** The file itself, beside which its journal lies. */
  file: string;
}

/** The file at the path went away, or was exchanged for another one. */
export class Replaced extends RelayError {
  constructor(path: string) {
    super("buffer", `${path} is removed or replaced again and again. Stop the program that does it.`);
  }
}

/**
 * Opens the file at the path as the newest buffer, or answers `null` if there is none and none is to be made. Calls
 * `beforeOpening` with the file itself before SQLite looks at it. Throws a `buffer` error, Replaced, or SQLite's own.
 */
export function connect(
  path: string,
  create: boolean,
  beforeOpening: (file: string) => void,
): Connection | null {
  if (create) createBufferFile(path);
  const file = acceptBufferFile(path);
  const identity = file && identify(file); // not the path: it may lead elsewhere by now
  if (!file || !identity) return null;
  beforeOpening(file);
  mendCompanions(file);
  let db: Database | undefined;
  try {
    db = new Database(file, { readwrite: true, create: false, strict: true });
    if (!isAt(path, identity)) throw new Replaced(path); // what was opened may be another file than the one looked at
    waitForLocks(db, 0);
    recognize(db, path); // before anything is changed: RELAY_DB may name another program's file by mistake
    tighten(file);
    prepare(db);
    migrate(db, path);
    return { db, identity, file };
  } catch (error) {
    db?.close();
    throw isAt(path, identity) ? error : new Replaced(path);
  }
}

// Why these: design.md, "The file". fullfsync makes macOS wait for the disk, and does nothing elsewhere.
function prepare(db: Database): void {
  db.run(`PRAGMA journal_mode = TRUNCATE;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA secure_delete = ON;
    PRAGMA trusted_schema = OFF`);
}

/**
 * Runs `work` as one immediate transaction, of which nothing is left if it throws. Throws SQLITE_BUSY at once if somebody
 * else writes: while SQLite waited to begin, the file could be replaced, and it would play the new file's journal into
 * the old one.
 */
export function runImmediate<T>(db: Database, work: (db: Database) => T): T {
  db.run("BEGIN IMMEDIATE");
  try {
    waitForLocks(db, tryMilliseconds);
    const result = work(db);
    db.run("COMMIT");
    return result;
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    throw error;
  } finally {
    waitForLocks(db, 0);
  }
}

function waitForLocks(db: Database, milliseconds: number): void {
  db.run(`PRAGMA busy_timeout = ${milliseconds}`);
}

/** Whether this is the file that the path leads to right now. */
export function isAt(path: string, identity: FileIdentity): boolean {
  const now = identify(path);
  return now !== null && isSame(now, identity);
}
