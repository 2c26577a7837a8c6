/** A signal asked the command to end while it was writing. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/**
 * Rejects with {@link Interrupted} at the first signal that would end the process. From this call on such a signal ends
 * nothing by itself: without it, what a command has claimed would be missing until the claim expires.
 */
export function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => reject(new Interrupted(signal)));
    }
  });
}
