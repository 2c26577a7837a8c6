import type { Heartbeat } from "./heartbeat.ts";

/** Resolves when the parent of this process is gone, also while standard input is held open by somebody else. */
export function parentGone(parent: number, onBeat: Heartbeat): Promise<void> {
  return new Promise((resolve) => {
    onBeat(() => {
      if (process.ppid !== parent || !exists(parent)) resolve();
    });
  });
}

// On Windows the number of a dead parent stays, so the process itself is looked for.
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
