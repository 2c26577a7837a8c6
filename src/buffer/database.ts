import { Database } from "bun:sqlite";
import type { Clock } from "../clock.ts";
import { RelayError, sentence } from "../errors.ts";
import { lockMilliseconds } from "./buffer.ts";
import { acceptBufferFile, createBufferFile, type FileIdentity, identify, unusable } from "./file.ts";
import { migrate } from "./schema.ts";

// One try for a lock blocks the process's loop, so it is short; between tries signals, cancels and pings are served.
const tryMilliseconds = 50;

/** How one transaction is to be run. */
export interface TransactionOptions {
  /** Make the file if there is none. Without it such a transaction answers `undefined`. */
  create?: boolean;
  signal?: AbortSignal | undefined;
}

/** The file at a path as a place for transactions, however often it is locked, removed or replaced. */
export interface BufferDatabase {
  /**
   * Runs `work` as one immediate transaction in the file that is at the path before and after it. Answers what `work`
   * answered, or `undefined` if there is no file and none may be made. `work` may run several times, but only one
   * run is kept. Throws a `buffer` error, or the signal's reason; then nothing was kept.
   */
  transact<T>(work: (db: Database) => T, options?: TransactionOptions): Promise<T | undefined>;
  /** Closes the file. The next transaction opens it again. */
  close(): void;
}

interface OpenDatabase {
  db: Database;
  identity: FileIdentity;
}

/** Opens nothing yet: the first transaction does. */
export function bufferDatabase(path: string, clock: Clock): BufferDatabase {
  let open: OpenDatabase | null = null;

  const close = () => {
    open?.db.close();
    open = null;
  };

  const current = (create: boolean): OpenDatabase | null => {
    if (open && !sameFile(open.identity, path)) close();
    open ??= openFile(path, create);
    return open;
  };

  // A commit counts only if the file it went into is still the one at the path.
  const attempt = <T>(work: (db: Database) => T, create: boolean): T | undefined => {
    const opened = current(create);
    if (!opened) return undefined;
    const result = runImmediate(opened.db, work);
    if (!sameFile(opened.identity, path)) throw replaced(path);
    return result;
  };

  const isReplaced = (error: unknown) =>
    codeOf(error) === "SQLITE_READONLY_DBMOVED" ||
    (open ? !sameFile(open.identity, path) : codeOf(error) === "SQLITE_CANTOPEN" && identify(path) === null);

  return {
    close,
    async transact(work, { create = false, signal } = {}) {
      const deadline = clock.elapsed() + lockMilliseconds;
      for (;;) {
        signal?.throwIfAborted();
        try {
          return attempt(work, create);
        } catch (error) {
          const passing = isReplaced(error) ? "replaced" : isBusy(error) ? "busy" : null;
          if (!passing || clock.elapsed() >= deadline) throw explain(error, path);
          if (passing === "replaced") close();
        }
        await Bun.sleep(1 + Math.random() * 10); // processes that wait alike must not meet again and again
      }
    },
  };
}

function openFile(path: string, create: boolean): OpenDatabase | null {
  if (create) createBufferFile(path);
  const file = acceptBufferFile(path);
  const identity = identify(path);
  if (!file || !identity) return null;
  const db = new Database(file, { readwrite: true, create: false, strict: true });
  try {
    prepare(db);
    migrate(db, path);
    return { db, identity };
  } catch (error) {
    db.close();
    throw error;
  }
}

// Why these: design.md, "The file". fullfsync makes macOS wait for the disk, and does nothing elsewhere.
function prepare(db: Database): void {
  db.run(`PRAGMA busy_timeout = ${tryMilliseconds};
    PRAGMA journal_mode = TRUNCATE;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA secure_delete = ON;
    PRAGMA trusted_schema = OFF`);
}

function runImmediate<T>(db: Database, work: (db: Database) => T): T {
  db.run("BEGIN IMMEDIATE");
  try {
    const result = work(db);
    db.run("COMMIT");
    return result;
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    throw error;
  }
}

function sameFile(identity: FileIdentity, path: string): boolean {
  const now = identify(path);
  return now !== null && now.device === identity.device && now.inode === identity.inode;
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "");
}

function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));
}

function replaced(path: string): RelayError {
  return new RelayError(
    "buffer",
    `${path} is removed or replaced again and again. Stop the program that does it.`,
  );
}

function explain(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (error instanceof RelayError || !code) return error;
  const family = /^SQLITE_[A-Z]+/.exec(code)?.[0];
  const why: Record<string, string> = {
    SQLITE_BUSY: `${path} is locked by another program. Close that program, or try again.`,
    SQLITE_FULL: `there is no room left on the disk of ${path}. Free some and try again; nothing was stored.`,
    SQLITE_NOTADB: `${path} is not a SQLite database. relay left it as it is; move it away, or set RELAY_DB to another file.`,
    SQLITE_CORRUPT: `${path} is damaged. relay left it as it is; move it away, and a new one is made.`,
    SQLITE_READONLY: `${path} cannot be written. Mend its permissions or those of its folder.`,
    SQLITE_IOERR: `the disk of ${path} failed (${sentence(error)}). Check the disk and try again.`,
    SQLITE_CANTOPEN: `${path} or its journal cannot be opened. Mend the permissions of the folder, and close some files.`,
  };
  const known = why[family ?? ""];
  return known ? new RelayError("buffer", known) : unusable(path, error);
}
