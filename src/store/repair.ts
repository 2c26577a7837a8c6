import { Database } from "bun:sqlite";
import { readFileSync, renameSync, rmSync, statSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import { RelayError } from "../core/errors.ts";
import { lockMilliseconds } from "../core/limits.ts";
import type { System } from "../platform/system.ts";
import { acceptBufferFile, createBufferFile, identify, unusable } from "./file.ts";
import { holdersOf, tellHolders } from "./holders.ts";
import { type LockedFile, lockFile } from "./lock.ts";
import { rebuild } from "./rebuild.ts";
import { type Salvage, salvage } from "./salvage.ts";
import { recognize } from "./schema.ts";
import { flush, flushFolder, readContents, setAside, settle, writeContents } from "./set-aside.ts";
import { codeOf, explain } from "./sqlite-errors.ts";

/** What a repair found and did. */
export type Repair =
  | { state: "absent" }
  | { state: "sound" }
  | {
      state: "repaired";
      /** Where the damaged file is kept, as it was. */
      aside: string;
      saved: Salvage;
    };

/** What a repair takes from its surroundings. */
export interface Surroundings {
  clock: Clock;
  system: System;
}

/**
 * Rebuilds a damaged buffer from what can be read of it, and sets the damaged file aside; a sound one is left alone.
 * Nobody else can use the file meanwhile. Wherever this is killed, the old file is at the path, or the new one.
 * Throws a `buffer` error if somebody else keeps using the file, or if it is no buffer; then nothing was changed.
 */
export async function repairBuffer(path: string, around: Surroundings): Promise<Repair> {
  const file = acceptBufferFile(path);
  if (!file) return { state: "absent" };
  try {
    const lock = await lockPatiently(file, path, around);
    try {
      return rebuildLocked(file, path, lock, around.clock);
    } finally {
      removeWork(file);
      lock.release();
    }
  } catch (error) {
    const known = error instanceof RelayError || codeOf(error).startsWith("SQLITE_");
    throw known ? explain(error, path) : unusable(path, error);
  }
}

function rebuildLocked(file: string, path: string, lock: LockedFile, clock: Clock): Repair {
  removeWork(file); // a repair that was killed left it
  const { copy, next } = workFiles(file);
  const written = lastWrite(file);
  const contents = readContents(file, lock.descriptor);
  writeContents(copy, contents);
  if (isSound(copy, path)) return { state: "sound" };

  const settled = readFileSync(copy);
  const saved = salvage(settled);
  if (!saved) throw unrecognised(path);
  createBufferFile(next);
  rebuild(next, saved);
  flush(next);
  const aside = setAside(file, contents, clock);
  if (lastWrite(file) !== written) throw inUse(path, ""); // which only Windows allows
  settle(file, lock.descriptor, settled, contents);
  if (process.platform === "win32") replaceOnWindows(next, file, lock, path);
  else renameSync(next, file);
  flushFolder(file);
  return { state: "repaired", aside, saved };
}

// Windows replaces no file that anybody has open, this process included.
function replaceOnWindows(next: string, file: string, lock: LockedFile, path: string): void {
  lock.release();
  try {
    renameSync(next, file);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    throw ["EBUSY", "EPERM", "EACCES"].includes(code) ? inUse(path, "") : error;
  }
}

// Their names begin with the buffer's, so that whatever is said of its file's companions is said of them.
function workFiles(file: string): { copy: string; next: string } {
  return { copy: `${file}.repair-copy`, next: `${file}.repair-next` };
}

function removeWork(file: string): void {
  for (const path of Object.values(workFiles(file)))
    for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
}

function lastWrite(file: string): bigint {
  return statSync(file, { bigint: true }).mtimeNs;
}

/** Waits for the lock as long as any transaction waits for one. */
async function lockPatiently(
  file: string,
  path: string,
  { clock, system }: Surroundings,
): Promise<LockedFile> {
  const deadline = clock.elapsed() + lockMilliseconds;
  for (;;) {
    const identity = identify(file);
    const lock = await lockFile(file);
    const now = identify(file);
    if (lock && now && now.inode === identity?.inode && now.device === identity.device) return lock;
    lock?.release(); // of a file that was replaced meanwhile
    if (clock.elapsed() >= deadline) throw inUse(path, tellHolders(await holdersOf(file, system)));
    await Bun.sleep(20);
  }
}

function inUse(path: string, holders: string): RelayError {
  const who = holders || "another program, or its disk knows no locks";
  return new RelayError(
    "buffer",
    `${path} is in use by ${who}. End that and run \`relay doctor --repair\` again; nothing was changed.`,
  );
}

function unrecognised(path: string): RelayError {
  return new RelayError(
    "buffer",
    `${path} is damaged, and nothing in it says that it ever was a relay buffer, so relay left it as it is. Move it away, or set RELAY_DB to another file.`,
  );
}

// A full disk is no damage, and neither is a lock.
const elsewhere = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|NOMEM|INTERRUPT)/;

/**
 * Whether SQLite finds nothing wrong with a copy of the file. Whatever lay beside the copy is in it afterwards, if
 * SQLite can make out what it is. Throws a `buffer` error for another program's sound database.
 */
function isSound(copy: string, path: string): boolean {
  let db: Database | undefined;
  try {
    db = new Database(copy, { readwrite: true, create: false, strict: true });
    const found = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
    if (found.length !== 1 || found[0]?.integrity_check !== "ok") return false;
    db.run("BEGIN IMMEDIATE"); // a header may also forbid writing
    db.run("COMMIT");
    recognize(db, path);
    return true;
  } catch (error) {
    if (error instanceof RelayError || !codeOf(error).startsWith("SQLITE_") || elsewhere.test(codeOf(error)))
      throw error;
    return false;
  } finally {
    db?.close();
  }
}
