import type { Writing } from "../core/write.ts";
import { failed, type Output } from "../platform/output.ts";

/** A write that may still be waiting for those before it. */
export interface QueuedWriting extends Writing {
  /** Takes it back if none of it was written yet, and tells whether that was so. */
  cancel(): boolean;
}

/** Answers on their way out, one after the other, each whole. */
export interface Outbox {
  /** Writes at once if nothing is on its way, else afterwards. */
  begin(bytes: Uint8Array): QueuedWriting;
  /** Resolves when nothing is on its way any more. */
  drained(): Promise<void>;
  /** How much memory is on its way, in bytes: a short answer takes far more than its text. */
  readonly bytes: number;
}

interface Entry {
  bytes: Uint8Array;
  /** Decides what becomes of it. */
  begin(writing: Writing): void;
}

// What is kept about each answer that waits: a process of 48 MB grew to 560, and stayed at 414, with 150,000 of 110 bytes
// (Bun 1.4.5).
const entryBytes = 3_072;

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
    bytes += sizeOf(chunk);
    const done = () => {
      current = null;
      bytes -= sizeOf(chunk);
      next();
    };
    writing.finished.then(done, (error) => {
      broken = error;
      done();
    });
    return writing;
  };

  const next = () => {
    while (!current) {
      const entry = queue.shift();
      if (!entry) return;
      bytes -= sizeOf(entry.bytes);
      entry.begin(write(entry.bytes));
    }
  };

  const enqueue = (chunk: Uint8Array): QueuedWriting => {
    const { promise, resolve } = Promise.withResolvers<void>();
    promise.catch(() => {}); // not everybody who begins a write waits for its end
    const entry: Entry = { bytes: chunk, begin: (writing) => resolve(writing.finished) };
    queue.push(entry);
    bytes += sizeOf(chunk);
    const cancel = () => {
      const place = queue.indexOf(entry);
      if (place < 0) return false;
      queue.splice(place, 1);
      bytes -= sizeOf(chunk);
      entry.begin(failed(false, { code: "ECANCELED" }));
      return true;
    };
    return { taken: false, finished: promise, cancel };
  };

  return {
    begin: (chunk) => (current ? enqueue(chunk) : { ...write(chunk), cancel: () => false }),
    async drained() {
      while (current) await current.finished.catch(() => {});
    },
    get bytes() {
      return bytes;
    },
  };
}

function sizeOf(chunk: Uint8Array): number {
  return chunk.length + entryBytes;
}
