import { Database } from "bun:sqlite";
import type { Clock } from "../core/clock.ts";
import { RelayError } from "../core/errors.ts";
import { lockMs } from "../core/limits.ts";
import { acceptBufferFile, createBufferFile, type FileIdentity, identify, isSame, tighten } from "./file.ts";
import { isCurrent, migrate, recognize } from "./schema.ts";
import { codeOf, explain, isBusy } from "./sqlite-errors.ts";

// A wait for a lock blocks the event loop, so it is short; between waits signals, cancellations and pings are served.
const busyMs = 50;

// The longest pause between two attempts grows from the first to the second: a hundred processes that asked every few
// milliseconds would leave the one that writes no time.
const shortestPauseMs = 10;
const longestPauseMs = 100;

/** Options of a transaction. */
export interface TransactionOptions {
  /** Makes a missing file. Otherwise the transaction answers `undefined` for it. */
  create?: boolean;
  /** The transaction changes nothing, and does not wait for others that read. */
  readonly?: boolean;
  signal?: AbortSignal | undefined;
}

interface OpenFile {
  db: Database;
  identity: FileIdentity;
}

/** The buffer file at a path. Opens it when it is needed, and again when another file is at the path. */
export class Connection {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #lockTimeoutMs: number;
  #open: OpenFile | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #unfinished = 0;

  /** Opens nothing yet. `lockTimeoutMs` is a transaction's longest wait for a lock, in milliseconds. */
  constructor(path: string, clock: Clock, lockTimeoutMs = lockMs) {
    this.#path = path;
    this.#clock = clock;
    this.#lockTimeoutMs = lockTimeoutMs;
  }

  /**
   * Runs `work` as one transaction, after those of earlier calls, in the file that is at the path before and after it.
   * Answers the result of `work`, or `undefined` for a missing file that is not to be made. `work` may run several times;
   * the last run counts. Throws a `buffer` error, or the signal's reason.
   */
  transact<T>(work: (db: Database) => T, options: TransactionOptions = {}): Promise<T | undefined> {
    const deadline = this.#clock.elapsed() + this.#lockTimeoutMs;
    const waits = this.#unfinished > 0;
    const run = async () => {
      // twenty sends at once must not delay the notification of the first, nor a ping
      if (waits) await new Promise<void>((resolve) => setImmediate(resolve));
      return this.#attemptUntil(deadline, work, options);
    };
    this.#unfinished += 1;
    const result = this.#last.then(run, run).finally(() => {
      this.#unfinished -= 1;
    });
    this.#last = result;
    return result;
  }

  /** Closes the file. The next transaction opens it again. */
  close(): void {
    this.#open?.db.close();
    this.#open = null;
  }

  async #attemptUntil<T>(
    deadline: number,
    work: (db: Database) => T,
    options: TransactionOptions,
  ): Promise<T | undefined> {
    for (let longest = shortestPauseMs; ; longest = Math.min(longestPauseMs, longest * 1.5)) {
      options.signal?.throwIfAborted();
      try {
        return this.#attempt(work, options);
      } catch (error) {
        const replaced = this.#isReplaced(error);
        if (!isBusy(error)) this.close(); // the error may be the open file's
        if (!(replaced || isBusy(error)) || this.#clock.elapsed() >= deadline) throw explain(error, this.#path);
      }
      // at random, so that processes which wait together do not try together
      await Bun.sleep(1 + Math.max(0, Math.min(Math.random() * longest, deadline - this.#clock.elapsed())));
    }
  }

  #attempt<T>(work: (db: Database) => T, { create = false, readonly = false }: TransactionOptions): T | undefined {
    if (this.#open && !isAt(this.#path, this.#open.identity)) this.close();
    this.#open ??= openFile(this.#path, create);
    if (!this.#open) {
      if (create) throw new Replaced(this.#path); // another program removed the new file
      return undefined;
    }
    const { db, identity } = this.#open;
    const result = inTransaction(db, readonly ? "DEFERRED" : "IMMEDIATE", () => {
      if (!isCurrent(db, this.#path)) throw new Replaced(this.#path); // another program emptied or overwrote the file in place
      return work(db);
    });
    // A commit into a file that was moved away is lost.
    if (!isAt(this.#path, identity)) throw new Replaced(this.#path);
    return result;
  }

  #isReplaced(error: unknown): boolean {
    return (
      error instanceof Replaced ||
      codeOf(error) === "SQLITE_READONLY_DBMOVED" ||
      (this.#open !== null && !isAt(this.#path, this.#open.identity))
    );
  }
}

/** The file at the path went away, or another one took its place. */
class Replaced extends RelayError {
  constructor(path: string) {
    super("buffer", `${path} is removed or replaced again and again`, "Stop the program that does it.");
  }
}

/** Opens the file at this path, and makes a missing one or answers `null`. Throws a `buffer` error, or SQLite's. */
export function openFile(path: string, create: boolean): OpenFile | null {
  if (create) createBufferFile(path);
  const file = acceptBufferFile(path);
  const identity = file && identify(file);
  if (!file || !identity) return null;
  let db: Database | undefined;
  try {
    db = new Database(file, { readwrite: true, create: false, strict: true });
    if (!isAt(path, identity)) throw new Replaced(path); // SQLite may have opened another file than the accepted one
    const version = recognize(db, path); // before anything is changed
    tighten(file);
    // The reasons are in design.md, "The file". fullfsync makes macOS wait for the disk; other systems ignore it.
    db.run(`PRAGMA journal_mode = TRUNCATE;
      PRAGMA synchronous = FULL;
      PRAGMA fullfsync = ON;
      PRAGMA secure_delete = ON;
      PRAGMA trusted_schema = OFF`);
    migrate(db, path, version);
    return { db, identity };
  } catch (error) {
    db?.close();
    throw isAt(path, identity) ? error : new Replaced(path);
  }
}

/**
 * Runs `work` as one transaction, and rolls it back if it throws. Throws SQLITE_BUSY at once if another process writes:
 * while SQLite waited to begin, the file could be replaced, and SQLite would play the new file's journal into the old one
 * (sqlite.org/howtocorrupt.html, 1.4).
 */
function inTransaction<T>(db: Database, kind: "DEFERRED" | "IMMEDIATE", work: () => T): T {
  db.run(`BEGIN ${kind}`);
  try {
    if (kind === "IMMEDIATE") waitForLocks(db, busyMs); // for readers that hold up the commit
    const result = work();
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

function isAt(path: string, identity: FileIdentity): boolean {
  const now = identify(path);
  return now !== null && isSame(now, identity);
}
