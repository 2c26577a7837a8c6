/** What went wrong, in the terms of the command line's exit codes. */
export type ErrorKind = "failed" | "usage" | "refused" | "buffer";

const exitCodes: Record<ErrorKind, number> = { failed: 1, usage: 2, refused: 3, buffer: 4 };

/**
 * An error a person or a model is meant to read: one sentence in lower case that names the thing and ends with the
 * fix. Anything else that is thrown is a defect of relay.
 */
export class RelayError extends Error {
  override readonly name = "RelayError";

  constructor(
    readonly kind: ErrorKind,
    message: string,
  ) {
    super(message);
  }

  /** The status the process ends with when nobody handles this error. */
  get exitCode(): number {
    return exitCodes[this.kind];
  }
}

/** Standard output was closed by whoever read it. There is nobody left to tell, so it is never printed. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** The sentence for any thrown value; a defect keeps its message but never its stack. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
