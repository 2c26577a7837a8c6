import { WriteFailed, type Writing } from "../output.ts";

/**
 * The same write, but one that fails at the first signal that would end the process. From this call on such a signal
 * ends nothing by itself: without it, what a command has claimed would be missing until the claim expires.
 */
export function interruptible(writing: Writing): Writing {
  if (writing.taken) return writing;
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => reject(new WriteFailed(true, signal)));
    }
  });
  return { taken: false, finished: Promise.race([writing.finished, interrupted]) };
}
