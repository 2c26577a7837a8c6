// A server must end within 5 s of its parent; this costs half a wake-up a second.
const lookMilliseconds = 2_000;

/**
 * Resolves when the process that started this one is gone, also while standard input is held open by somebody else.
 * The watch alone keeps no process alive.
 */
export function parentGone(): Promise<void> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === parent && exists(parent)) return;
      clearInterval(timer);
      resolve();
    }, lookMilliseconds);
    timer.unref();
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
