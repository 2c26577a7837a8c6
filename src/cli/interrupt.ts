import { WriteFailed, type Writing } from "../core/write.ts";

const ending = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * A write that fails at the first signal that would end the process. From this call on such a signal ends nothing by
 * itself: the page would be missing until its lease expires.
 */
export function interruptible(writing: Writing): Writing {
  if (writing.taken) return writing;
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ending) process.once(signal, () => reject(new WriteFailed(true, signal)));
  });
  return { taken: false, finished: Promise.race([writing.finished, interrupted]) };
}

/** Waits for `work`. A signal that would end the process calls `stop` first. */
export async function unlessInterrupted<T>(work: () => Promise<T>, stop: () => void): Promise<T> {
  const end = (signal: NodeJS.Signals) => {
    stop();
    for (const each of ending) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  };
  for (const signal of ending) process.once(signal, end);
  try {
    return await work();
  } finally {
    for (const signal of ending) process.removeListener(signal, end);
  }
}
