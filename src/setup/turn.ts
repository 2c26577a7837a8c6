import { closeSync, constants, openSync } from "node:fs";
import { RelayError } from "../core/errors.ts";
import { cLibraries } from "../platform/parent-process.ts";

// Longer than the longest thing that setup waits for, which is Claude Code's own program.
const patienceMilliseconds = 90_000;
const retryMilliseconds = 50;

// <sys/file.h>: the same on Linux and macOS.
const exclusiveAtOnce = 2 | 4;

/**
 * Does the work while no other setup or uninstall of this home folder does any: each reads what the other wrote. The
 * lock is on the folder itself, leaves no file, and ends with the process. On Windows nothing is locked; there a record
 * that another one wrote meanwhile is noticed. Throws a `failed` error if the others take too long.
 */
export async function inTurn<T>(home: string, work: () => Promise<T>): Promise<T> {
  if (process.platform === "win32") return work();
  const descriptor = openSync(home, constants.O_RDONLY);
  try {
    const deadline = performance.now() + patienceMilliseconds;
    while (!(await tryLock(descriptor))) {
      if (performance.now() > deadline) {
        throw new RelayError(
          "failed",
          "another relay setup or uninstall is running. Wait for it, and run this again.",
        );
      }
      await Bun.sleep(retryMilliseconds);
    }
    return await work();
  } finally {
    closeSync(descriptor);
  }
}

/** Whether this process has the lock now; or nobody, because the system has no such lock. */
async function tryLock(descriptor: number): Promise<boolean> {
  const { dlopen } = await import("bun:ffi");
  for (const library of cLibraries) {
    try {
      const { symbols } = dlopen(library, { flock: { args: ["i32", "i32"], returns: "i32" } } as const);
      return symbols.flock(descriptor, exclusiveAtOnce) === 0;
    } catch {} // the other system's, then
  }
  return true;
}
