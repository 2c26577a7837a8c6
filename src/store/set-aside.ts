import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Clock, timestamp } from "../core/clock.ts";
import { acceptBufferFile } from "./file.ts";

/** A database file, and what a crash left beside it, as bytes. Empty where there is nothing. */
export interface Contents {
  database: Uint8Array;
  "-journal": Uint8Array;
  "-wal": Uint8Array;
}

const companions = ["-journal", "-wal"] as const;

/** Reads a file through its open descriptor, because opening it again would end a lock on it. */
export function readContents(file: string, descriptor: number): Contents {
  const database = new Uint8Array(fstatSync(descriptor).size);
  for (let place = 0; place < database.length; ) {
    const read = readSync(descriptor, database, place, database.length - place, place);
    if (read === 0) break;
    place += read;
  }
  const beside = (suffix: string) =>
    existsSync(`${file}${suffix}`) ? readFileSync(`${file}${suffix}`) : new Uint8Array();
  return { database, "-journal": beside("-journal"), "-wal": beside("-wal") };
}

/** Writes the contents to new files, readable by their owner alone, and waits for the disk. Throws EEXIST. */
export function writeContents(path: string, contents: Contents): void {
  const files = [[path, contents.database] as const];
  for (const suffix of companions) {
    if (contents[suffix].length > 0) files.push([`${path}${suffix}`, contents[suffix]]);
  }
  const made: string[] = [];
  try {
    for (const [name, bytes] of files) {
      const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);
      const descriptor = openSync(name, flags, 0o600);
      made.push(name);
      fchmodSync(descriptor, 0o600);
      writeFileSync(descriptor, bytes);
      fsyncSync(descriptor);
      closeSync(descriptor);
    }
  } catch (error) {
    for (const name of made) rmSync(name, { force: true }); // a full disk need not hold half of it
    throw error;
  }
}

/** Keeps the contents beside the file, under a name that tells when and was nobody's. Answers the path. */
export function setAside(file: string, contents: Contents, clock: Clock): string {
  const time = timestamp(clock.now()).replace(/[-:]|\.\d+/g, "");
  for (let number = 1; ; number++) {
    const path = `${file}.damaged-${time}${number === 1 ? "" : `-${number}`}`;
    try {
      writeContents(path, contents);
      flushFolder(file);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** Deletes what repairs set aside beside the buffer at this path, texts of messages included. Answers how many files. */
export function deleteSetAside(path: string): number {
  const file = acceptBufferFile(path) ?? path;
  const isAside = (name: string) =>
    name.startsWith(basename(file)) &&
    /^\.damaged-\d{8}T\d{6}Z(-\d+)?(-journal|-wal)?$/.test(name.slice(basename(file).length));
  const names = readdirSync(dirname(file)).filter(isAside);
  for (const name of names) rmSync(join(dirname(file), name), { force: true });
  return names.length;
}

/**
 * Does in the file what SQLite would do at its next opening, when something lies beside it: a journal must not stay
 * and be played into the file that takes this one's place. `settled` is the outcome. Should this be killed, SQLite
 * begins again.
 */
export function settle(file: string, descriptor: number, settled: Uint8Array, contents: Contents): void {
  if (companions.every((suffix) => contents[suffix].length === 0)) return;
  for (let place = 0; place < settled.length; ) {
    place += writeSync(descriptor, settled, place, settled.length - place, place);
  }
  ftruncateSync(descriptor, settled.length);
  fsyncSync(descriptor);
  if (contents["-journal"].length > 0) truncateSync(`${file}-journal`, 0);
  for (const suffix of ["-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
  flushFolder(file);
}

/** Waits until a file is on the disk. */
export function flush(path: string): void {
  const descriptor = openSync(path, constants.O_RDWR);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Waits until the names in the file's folder are on the disk. */
export function flushFolder(file: string): void {
  if (process.platform === "win32") return; // it opens no folders
  const descriptor = openSync(dirname(file), constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } catch {
    // some network file systems cannot, and have nothing to wait for
  } finally {
    closeSync(descriptor);
  }
}
