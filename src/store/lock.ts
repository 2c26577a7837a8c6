import { closeSync, constants, openSync } from "node:fs";
import { cLibraries } from "../platform/parent-process.ts";

// The bytes that SQLite locks, wherever it locks any: https://sqlite.org/fileformat2.html#the_lock_byte_page
const firstLockByte = 0x4000_0000n;
const lockBytes = 512n;

// <unistd.h>, <stdio.h>: the same on Linux and macOS.
const tryLock = 2;
const fromStart = 0;

/** A file that no other process reads or writes through SQLite. */
export interface LockedFile {
  /** Open for reading and writing. */
  descriptor: number;
  release(): void;
}

/**
 * Locks a database against every other process, as SQLite itself would to write into it; but SQLite would refuse a
 * file whose header is damaged. `null` if somebody else uses it right now. Until it is released this process must not
 * open and close the file once more, be it through SQLite: the system would take that for the release. On Windows
 * nothing is locked: there a file that anybody has open cannot be replaced. Throws what the system says.
 */
export async function lockFile(file: string): Promise<LockedFile | null> {
  const descriptor = openSync(file, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0));
  let released = false;
  const release = () => {
    if (!released) closeSync(descriptor);
    released = true;
  };
  try {
    if (process.platform === "win32" || (await lock(descriptor))) return { descriptor, release };
  } catch (error) {
    release();
    throw error;
  }
  release();
  return null;
}

async function lock(descriptor: number): Promise<boolean> {
  const { dlopen } = await import("bun:ffi");
  const functions = {
    lseek: { args: ["i32", "i64", "i32"], returns: "i64" },
    lockf: { args: ["i32", "i32", "i64"], returns: "i32" },
  } as const;
  for (const library of cLibraries) {
    try {
      const { symbols } = dlopen(library, functions);
      symbols.lseek(descriptor, firstLockByte, fromStart);
      return symbols.lockf(descriptor, tryLock, lockBytes) === 0;
    } catch {} // the other system's, then
  }
  throw new Error("the system's C library cannot be found");
}
