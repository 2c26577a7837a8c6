import { writeAll } from "../descriptor.ts";

// A client need not read standard error. What it leaves unread beyond this is not worth memory.
const pendingLines = 100;

/** Writes a line to standard error. Never waits, and never fails. */
export type Log = (text: string) => void;

/** A log on this descriptor. */
export function createLog(descriptor: number): Log {
  let last = Promise.resolve();
  let pending = 0;
  return (text) => {
    if (pending >= pendingLines) return;
    pending += 1;
    const line = new TextEncoder().encode(`relay: ${text}\n`);
    last = last
      .then(() => writeAll(descriptor, line))
      .catch(() => {})
      .then(() => {
        pending -= 1;
      });
  };
}
