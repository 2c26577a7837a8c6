/** The kind of an error, which decides the exit status of a command. */
export type ErrorKind = "failed" | "usage" | "refused" | "buffer";

const exitCodes: Record<ErrorKind, number> = { failed: 1, usage: 2, refused: 3, buffer: 4 };

/**
 * An error that a person or a model reads. `message` names the problem, in lower case and without a full stop; `fix` is
 * a sentence. Any other error is a defect of relay.
 */
export class RelayError extends Error {
  override readonly name = "RelayError";

  constructor(
    readonly kind: ErrorKind,
    message: string,
    readonly fix = "",
  ) {
    super(message);
  }

  /** The exit status of a command that this error ends. */
  get exitCode(): number {
    return exitCodes[this.kind];
  }
}

/** A write that ended early. */
export class WriteFailed extends Error {
  override readonly name = "WriteFailed";

  constructor(
    /** Whether any byte may have been taken. */
    readonly started: boolean,
    /** The system's code, or the name of the signal that interrupted the write. */
    readonly code: string,
  ) {
    super(`write failed: ${code}`);
  }
}

/** The reader of standard output closed it. Never printed. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** A program of the person's, run in relay's place, ended with this status. Never printed. */
export class ProgramEnded extends Error {
  override readonly name = "ProgramEnded";

  constructor(readonly status: number) {
    super(`ended with ${status}`);
  }
}

/** The message and the fix of an error, as one line; of a defect its message, never its stack. */
export function errorMessage(error: unknown): string {
  if (error instanceof RelayError && error.fix) return `${error.message}. ${error.fix}`;
  return error instanceof Error ? error.message : String(error);
}
