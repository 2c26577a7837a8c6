import { errorMessage, RelayError } from "../core/errors.ts";
import { unusable } from "./file.ts";

/** The code of a SQLite error; empty for any other. */
export function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "");
}

/** Whether the file is only locked, which passes. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));
}

/** Whether the file, or what lies beside it, could not be opened, read or written. */
export function isAccess(error: unknown): boolean {
  return /^SQLITE_(IOERR|CANTOPEN|READONLY)/.test(codeOf(error));
}

/** What a person is told of an error that SQLite threw. Anything else stays what it is. */
export function explain(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (error instanceof RelayError || !code) return error;
  const family = /^SQLITE_[A-Z]+/.exec(code)?.[0];
  const why: Record<string, string> = {
    SQLITE_BUSY: `${path} is locked by another program. Close that program, or try again.`,
    SQLITE_FULL: `there is no room left on the disk of ${path}. Free some and try again; nothing was stored.`,
    SQLITE_NOTADB: `${path} is not a SQLite database. relay left it as it is. If it was the buffer, \`relay doctor --repair\` saves what can be read; if not, move it away.`,
    SQLITE_CORRUPT: `${path} is damaged. relay left it as it is; \`relay doctor --repair\` rebuilds it from what can be read.`,
    SQLITE_READONLY: `${path} cannot be written. Mend its permissions or those of its folder.`,
    SQLITE_IOERR: `the disk of ${path} failed (${errorMessage(error)}). Check the disk and try again.`,
    SQLITE_CANTOPEN: `${path} or its journal cannot be opened. Mend the permissions of the folder, and close some files.`,
  };
  const known = why[family ?? ""];
  return known ? new RelayError("buffer", known) : unusable(path, error);
}
