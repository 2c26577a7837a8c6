import { failed, type Output, type Writing } from "../output.ts";

/** A write that may still be waiting for those before it. */
export interface QueuedWriting extends Writing {
  /** Takes it back if none of it was written yet. */
  cancel(): void;
}

/** Answers on their way out, one after the other, each whole. */
export interface Outbox {
  /** Writes at once if nothing is on its way, else afterwards. */
  begin(bytes: Uint8Array): QueuedWriting;
  /** Resolves when nothing is on its way any more. */
  drained(): Promise<void>;
  /** How many bytes are on their way. */
  readonly bytes: number;
}

interface Entry {
  bytes: Uint8Array;
  cancelled: boolean;
  finish(writing: Writing): void;
}

/** An empty outbox over an output. After a write that failed nothing more is tried: a half line cannot be mended. */
export function createOutbox(output: Output): Outbox {
  const queue: Entry[] = [];
  let current: Writing | null = null;
  let broken: unknown;
  let bytes = 0;

  const write = (chunk: Uint8Array): Writing => {
    if (broken) return failed(false, broken);
    const writing = output(chunk);
    if (writing.taken) return writing;
    current = writing;
    bytes += chunk.length;
    const done = () => {
      current = null;
      bytes -= chunk.length;
      next();
    };
    writing.finished.then(done, (error) => {
      broken = error;
      done();
    });
    return writing;
  };

  const next = () => {
    for (let entry = queue.shift(); entry; entry = current ? undefined : queue.shift()) {
      bytes -= entry.bytes.length;
      entry.finish(entry.cancelled ? failed(false, { code: "ECANCELED" }) : write(entry.bytes));
    }
  };

  return {
    begin(chunk) {
      if (!current) return { ...write(chunk), cancel() {} };
      const { promise, resolve } = Promise.withResolvers<void>();
      const entry: Entry = {
        bytes: chunk,
        cancelled: false,
        finish: (writing) => resolve(writing.finished),
      };
      bytes += chunk.length;
      queue.push(entry);
      promise.catch(() => {});
      return {
        taken: false,
        finished: promise,
        cancel() {
          entry.cancelled = true;
        },
      };
    },
    async drained() {
      while (current) await current.finished.catch(() => {});
    },
    get bytes() {
      return bytes;
    },
  };
}
