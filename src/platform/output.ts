import { writeSync } from "node:fs";
import { WriteFailed, type Writing } from "../core/write.ts";

/** Begins to write, after whatever was begun before. */
export type Output = (bytes: Uint8Array) => Writing;

// What a pipe takes whole or not at all (PIPE_BUF; 512 bytes is the least that POSIX allows, and macOS's).
const atomicBytes = 512;

/**
 * Standard output or standard error. What the reader has room for is taken at once, without a turn of the event loop;
 * for the rest the process waits without standing still. One write at a time keeps failures apart.
 */
export function standardOutput(name: "stdout" | "stderr"): Output {
  let sink: Bun.FileSink | undefined;
  const write = (bytes: Uint8Array) => {
    sink ??= Bun[name].writer();
    return [sink.write(bytes), sink.flush()].filter((result) => result instanceof Promise);
  };
  return (bytes) => {
    let started = false;
    try {
      // A reader that goes away in the middle of one large write leaves no sign of how far that came. So the first
      // bytes go by themselves: if they fail nothing was taken, and after them something was.
      const pending = write(bytes.subarray(0, atomicBytes));
      started = !pending.some(isRejected);
      if (started && bytes.length > atomicBytes) pending.push(...write(bytes.subarray(atomicBytes)));
      if (pending.length === 0) return { taken: true, finished: Promise.resolve() };
      const finished = Promise.all(pending).then(
        () => {},
        (error) => failed(started, error).finished,
      );
      return { taken: false, finished: handled(finished) };
    } catch (error) {
      return failed(started, error);
    }
  };
}

// Rejected before anybody could wait for it: the system refused the first byte.
function isRejected(result: Promise<unknown>): boolean {
  return Bun.peek.status(result) === "rejected";
}

/**
 * Writes every byte before it returns; the process stands still until the reader takes them. For a command that has
 * claimed nothing and would only wait: it spares the millisecond that {@link standardOutput} costs. Throws WriteFailed.
 */
export function writeNow(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const { code = "EIO" } = error as NodeJS.ErrnoException;
      if (code !== "EAGAIN") throw new WriteFailed(offset > 0, code);
      Bun.sleepSync(1); // somebody else made the descriptor non-blocking
    }
  }
}

/** A write that cannot be made, or is not to be made any more. */
export function failed(started: boolean, cause: unknown): Writing {
  const { code = "EIO" } = cause as NodeJS.ErrnoException;
  return { taken: false, finished: handled(Promise.reject(new WriteFailed(started, code))) };
}

// Not everybody who begins a write waits for its end.
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
