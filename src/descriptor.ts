import { write } from "node:fs";

// One pipe's worth on Linux: a longer write could not be taken at once anyway, and its progress would be unknown longer.
const chunkBytes = 65_536;

// How long to wait before a descriptor that some other process made non-blocking is tried again.
const retryMilliseconds = 5;

/** A write that ended early. `started` tells whether any byte may have been taken. */
export class WriteFailed extends Error {
  override readonly name = "WriteFailed";

  constructor(
    readonly started: boolean,
    override readonly cause: NodeJS.ErrnoException,
  ) {
    super(`write failed: ${cause.code ?? cause.message}`);
  }
}

/**
 * Writes every byte to a descriptor and resolves when the kernel has taken the last one. The process's own loop goes
 * on meanwhile, however long the reader takes. Throws {@link WriteFailed}.
 */
export async function writeAll(descriptor: number, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const length = Math.min(chunkBytes, bytes.length - offset);
    try {
      offset += await writeOnce(descriptor, bytes, offset, length);
    } catch (thrown) {
      const error = thrown as NodeJS.ErrnoException;
      if (error.code !== "EAGAIN") throw new WriteFailed(offset > 0, error);
      await Bun.sleep(retryMilliseconds);
    }
  }
}

function writeOnce(descriptor: number, bytes: Uint8Array, offset: number, length: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, offset, length, null, (error, count) =>
      error ? reject(error) : resolve(count),
    );
  });
}
