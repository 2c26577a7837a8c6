import type { Database } from "bun:sqlite";
import type { Clock } from "../core/clock.ts";
import { lockMilliseconds } from "../core/limits.ts";
import { type Connection, connect, isAt, Replaced, runImmediate } from "./connection.ts";
import { type FileIdentity, hasJournal, isSame } from "./file.ts";
import { createQueue } from "./queue.ts";
import { isMigrated, refuseNewer } from "./schema.ts";
import { codeOf, explain, isAccess, isBusy } from "./sqlite-errors.ts";

// The longest pauses between two tries, at first and after many: a hundred processes that asked every few milliseconds
// would leave no time to the one that writes.
const shortestPause = 10;
const longestPause = 100;

// How often a file is opened that cannot be read or written, before that counts.
const mostAccessTries = 3;

/** How long the file is waited for, in milliseconds. */
export interface Patience {
  /** For a lock that another process holds. */
  lock: number;
  /** For a journal that stands where the file is to be opened, before it counts as one that a crash left behind. */
  journal: number;
}

const usualPatience: Patience = { lock: lockMilliseconds, journal: 250 };

/** How one transaction is to be run. */
export interface TransactionOptions {
  /** Make the file if there is none. Without it such a transaction answers `undefined`. */
  create?: boolean;
  /** It goes before those that are not and still wait for their turn. */
  urgent?: boolean;
  signal?: AbortSignal | undefined;
}

/** What is done in a transaction, in the file that has this number. */
export type Work<T> = (db: Database, file: number) => T;

/** The file at a path as a place for transactions, however often it is locked, removed or replaced. */
export interface BufferDatabase {
  /**
   * Runs `work` as one immediate transaction in the file that is at the path before and after it, and tells it which one
   * that is, by a number of this process's own: another one whenever the file may be another one. Answers what `work`
   * answered, or `undefined` if there is no file and none may be made. `work` may run several times, but only one run is
   * kept. Throws a `buffer` error, or the signal's reason; then nothing was kept, unless the disk failed in the commit.
   */
  transact<T>(work: Work<T>, options?: TransactionOptions): Promise<T | undefined>;
  /** Closes the file. The next transaction opens it again. */
  close(): void;
}

/** Opens nothing yet: the first transaction does. */
export function bufferDatabase(path: string, clock: Clock, patience = usualPatience): BufferDatabase {
  let open: Connection | null = null;
  let seen: FileIdentity | null = null;
  let fileNumber = 0;
  let journalSince: number | null = null;
  let committing = false;

  const close = () => {
    open?.db.close();
    open = null;
  };

  // Whoever was writing when the file was replaced has its journal at the path until it is done, and SQLite would roll
  // it back into the new file (sqlite.org/howtocorrupt.html, 1.4). It may begin to after the new file was opened.
  const awaitJournal = (file: string) => {
    if (!hasJournal(file)) {
      journalSince = null;
      return;
    }
    journalSince ??= clock.elapsed();
    if (clock.elapsed() - journalSince < patience.journal) throw new JournalInUse();
  };

  // While nobody had it open, the file may have gone, and its inode to another one.
  const recognize = (found: FileIdentity) => {
    if (seen && isSame(found, seen) && found.born === seen.born) return;
    seen = found;
    fileNumber += 1;
  };

  const current = (create: boolean): Connection | null => {
    if (open && !isAt(path, open.identity)) throw new Replaced(path); // and not a moment too early into the new one
    if (open) awaitJournal(open.file);
    else {
      open = connect(path, create, awaitJournal);
      if (open) recognize(open.identity);
    }
    journalSince = null;
    return open;
  };

  // A commit counts only if the file it went into is still the one at the path, or is there again. What was claimed in it
  // before counts as claimed in another file: it is shown, and offered again with a label.
  const attempt = <T>(work: Work<T>, create: boolean, strayed: readonly Astray[]): T | undefined => {
    committing = false;
    const opened = current(create);
    if (!opened && create) throw new Replaced(path); // gone between making it and opening it
    if (!opened) return undefined;
    const stored = strayed.find(({ identity }) => isSameForSure(identity, opened.identity));
    const result = runImmediate(opened.db, (db) => {
      refuseNewer(db, path);
      if (!isMigrated(db)) throw new Replaced(path); // in place: it was emptied, or an older one copied over it
      if (stored) return stored.result as T;
      const done = work(db, fileNumber);
      committing = true;
      return done;
    });
    if (!isAt(path, opened.identity)) throw new Astray(path, opened.identity, result);
    return result;
  };

  // Whoever moves the file away and back at once must not make two messages of one. The connection stays open meanwhile,
  // and with it the file keeps its identity.
  const comesBack = async ({ identity }: Connection) => {
    const until = clock.elapsed() + patience.journal;
    do await Bun.sleep(shortestPause);
    while (!isAt(path, identity) && clock.elapsed() < until);
    return isAt(path, identity);
  };

  const isReplaced = (error: unknown) =>
    error instanceof Replaced ||
    codeOf(error) === "SQLITE_READONLY_DBMOVED" ||
    (open !== null && !isAt(path, open.identity));

  // Others may make a journal that nobody can write, while the file is read-only; a file that is opened anew mends it, or
  // shows what is wrong. But what failed while it was committed is not done again.
  const causeThatPasses = (error: unknown, tries: number) => {
    if (isReplaced(error)) return "replaced";
    if (isBusy(error)) return "busy";
    return !committing && isAccess(error) && tries < mostAccessTries ? "access" : null;
  };

  const attemptUntil = async <T>(deadline: number, work: Work<T>, options: TransactionOptions) => {
    const strayed: Astray[] = [];
    for (let longest = shortestPause, accessTries = 1; ; ) {
      options.signal?.throwIfAborted();
      try {
        return attempt(work, options.create ?? false, strayed);
      } catch (error) {
        if (error instanceof Astray && open && (await comesBack(open))) return error.result as T;
        const passing = causeThatPasses(error, accessTries);
        if (passing === "access") accessTries += 1;
        if (passing === "replaced") seen = null;
        if (passing !== "busy") close(); // what failed may be mended by opening the file anew
        if (passing === "replaced" && clock.elapsed() >= deadline) throw new Replaced(path);
        if (!passing || clock.elapsed() >= deadline) throw explain(error, path);
        if (error instanceof Astray) {
          strayed.push(error);
          continue; // it was waited for
        }
        longest = passing === "busy" ? Math.min(longestPause, longest * 1.5) : shortestPause;
      }
      // processes that wait alike must not meet again and again
      const pause = Math.min(Math.random() * longest, deadline - clock.elapsed());
      await Bun.sleep(1 + Math.max(0, pause));
    }
  };

  // What a client sends first is stored first; and many at once hold up neither the first one's receipt nor its
  // announcement.
  const queue = createQueue();

  return {
    close,
    transact(work, options = {}) {
      const deadline = clock.elapsed() + patience.lock;
      return queue.run(() => attemptUntil(deadline, work, options), options.urgent);
    },
  };
}

// Nobody has it open, so its inode may meanwhile be another file's. A time in whole hundredths of a second is none, or that
// of a file system with so coarse a clock that two files in a row may share it.
function isSameForSure(one: FileIdentity, other: FileIdentity): boolean {
  return isSame(one, other) && one.born === other.born && one.born % 10_000_000n !== 0n;
}

/** What was committed is in a file that is not at the path any more. */
class Astray extends Replaced {
  constructor(
    path: string,
    readonly identity: FileIdentity,
    readonly result: unknown,
  ) {
    super(path);
  }
}

class JournalInUse extends Error {
  readonly code = "SQLITE_BUSY";
}
