import type { Output } from "../platform/output.ts";

// A client need not read standard error. What it leaves unread beyond this is not worth memory.
const pendingLines = 100;

/** Writes a line for people. Never waits, and never fails. */
export type Log = (text: string) => void;

/** A log on this output. */
export function createLog(output: Output): Log {
  let pending = 0;
  return (text) => {
    if (pending >= pendingLines) return;
    pending += 1;
    const { finished } = output(new TextEncoder().encode(`relay: ${text}\n`));
    const done = () => {
      pending -= 1;
    };
    finished.then(done, done);
  };
}
