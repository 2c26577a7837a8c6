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
