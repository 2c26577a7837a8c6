import { WriteFailed } from "../core/errors.ts";

const ending = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * The same write, which fails at the first signal that would end the process. From this call on such a signal does not
 * end the process, because the page of a killed command is in flight until its lease expires.
 */
export function interruptible(write: Promise<void>): Promise<void> {
  if (Bun.peek.status(write) === "fulfilled") return write;
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ending) process.once(signal, () => reject(new WriteFailed(true, signal)));
  });
  return Promise.race([write, interrupted]);
}

/** Does `work`. A signal that would end the process does so after `stop`. */
export async function unlessInterrupted<T>(work: () => Promise<T>, stop: () => void): Promise<T> {
  const end = (signal: NodeJS.Signals) => {
    stop();
    for (const name of ending) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  };
  for (const signal of ending) process.once(signal, end);
  try {
    return await work();
  } finally {
    for (const signal of ending) process.removeListener(signal, end);
  }
}
