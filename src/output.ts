import { writeSync } from "node:fs";

/** A write that ended early. `started` tells whether any byte may have been taken. */
export class WriteFailed extends Error {
  override readonly name = "WriteFailed";

  constructor(
    readonly started: boolean,
    /** The system's code, or `ECANCELED`. */
    readonly code: string,
  ) {
    super(`write failed: ${code}`);
  }
}

/** A write that has begun. */
export interface Writing {
  /** Whether the kernel took every byte before the call that began it returned. */
  readonly taken: boolean;
  /** Resolves when the kernel has taken every byte, however long the reader takes; rejects with {@link WriteFailed}. */
  readonly finished: Promise<void>;
}

// PIPE_BUF: so much goes into a pipe whole or not at all (pipe(7); POSIX promises 512, which is what macOS has).
const wholeBytes = process.platform === "linux" ? 4_096 : 512;

/** Begins to write, after whatever was begun before. */
export type Output = (bytes: Uint8Array) => Writing;

/**
 * Standard output or standard error. What the reader has room for is taken at once, without a turn of the event loop;
 * for the rest the process waits without standing still. One write at a time keeps failures apart.
 */
export function standardOutput(name: "stdout" | "stderr"): Output {
  let sink: Bun.FileSink | undefined;
  return (bytes) => {
    let results: (number | Promise<number>)[];
    try {
      sink ??= Bun[name].writer();
      results = [sink.write(bytes), sink.flush()];
    } catch (error) {
      return failed(false, error);
    }
    const pending = results.filter((result) => result instanceof Promise);
    if (pending.length === 0) return { taken: true, finished: Promise.resolve() };
    // Rejected at once: nothing was taken, if it would have been taken whole. Of more than that, a reader who is quick
    // may have had the beginning, and gone.
    const refused = pending.some((result) => Bun.peek.status(result) === "rejected");
    const started = !refused || bytes.length > wholeBytes;
    const finished = Promise.all(pending).then(
      () => {},
      (error) => failed(started, error).finished,
    );
    return { taken: false, finished: handled(finished) };
  };
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
