import { writeSync } from "node:fs";
import { WriteFailed } from "../core/errors.ts";

/**
 * Writes bytes after those of earlier calls. Resolves when the kernel has taken every byte, however long the reader
 * takes; rejects with {@link WriteFailed}.
 */
export type Output = (bytes: Uint8Array) => Promise<void>;

// A pipe takes these bytes whole or not at all (PIPE_BUF; 512 is the least that POSIX allows, and macOS's).
const atomicBytes = 512;

/**
 * Standard output or standard error. Writes at once, without a turn of the event loop, if the reader has room; a slow
 * reader does not block the process. An error says whether any byte was taken, if only one write is made at a time.
 */
export function standardOutput(name: "stdout" | "stderr"): Output {
  let sink: Bun.FileSink | undefined;
  const write = (bytes: Uint8Array) => {
    sink ??= Bun[name].writer();
    return [sink.write(bytes), sink.flush()].filter((result) => result instanceof Promise);
  };
  return (bytes) => {
    let started = false;
    const failed = (error: unknown) => {
      throw new WriteFailed(started, (error as NodeJS.ErrnoException).code ?? "EIO");
    };
    try {
      // A reader that goes away in the middle of one large write leaves no sign of how far that came. So the first
      // bytes go by themselves: if they fail nothing was taken, and after them something was.
      const pending = write(bytes.subarray(0, atomicBytes));
      started = !pending.some((result) => Bun.peek.status(result) === "rejected");
      if (started && bytes.length > atomicBytes) pending.push(...write(bytes.subarray(atomicBytes)));
      return pending.length === 0 ? Promise.resolve() : Promise.all(pending).then(() => {}, failed);
    } catch (error) {
      return Promise.try(() => failed(error));
    }
  };
}

/**
 * Writes every byte before it returns, and blocks the process until the reader takes them. It saves the millisecond that
 * {@link standardOutput} takes. Throws WriteFailed.
 */
export function writeNow(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const { code = "EIO" } = error as NodeJS.ErrnoException;
      if (code !== "EAGAIN") throw new WriteFailed(offset > 0, code);
      Bun.sleepSync(1); // another process made the descriptor non-blocking
    }
  }
}
