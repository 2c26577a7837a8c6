import { errorMessage, RelayError } from "../core/errors.ts";
import { betterPlace, fileError } from "./file.ts";

/** The code of a SQLite error; empty for any other. */
export function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "");
}

/** Whether another process has locked the file. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));
}

/** Whether the file's content is not a database, or a damaged one. */
export function isDamage(error: unknown): boolean {
  return ["SQLITE_CORRUPT", "SQLITE_NOTADB"].includes(familyOf(error));
}

// SQLite has no code of its own for a damaged format number in the header.
function familyOf(error: unknown): string {
  if (errorMessage(error) === "unsupported file format") return "SQLITE_NOTADB";
  return /^SQLITE_[A-Z]+/.exec(codeOf(error))?.[0] ?? "";
}

/** The `buffer` error for an error of SQLite's. Other errors stay as they are. */
export function explain(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (error instanceof RelayError || !code) return error;
  const reasons: Record<string, readonly [message: string, fix: string]> = {
    SQLITE_BUSY: [`${path} is locked by another program`, "Close that program, or try again."],
    SQLITE_FULL: [`there is no room left on the disk of ${path}`, "Free some and try again; nothing was stored."],
    SQLITE_NOTADB: [
      `${path} is not a SQLite database`,
      "If it was the buffer, `relay doctor --repair` sets it aside; if not, move it away.",
    ],
    SQLITE_CORRUPT: [`${path} is damaged`, "`relay doctor --repair` saves the messages that can be read."],
    SQLITE_READONLY: [`${path} cannot be written`, `Change its permissions or those of its folder, or ${betterPlace}.`],
    SQLITE_IOERR: [`the disk of ${path} failed (${errorMessage(error)})`, `Check the disk, or ${betterPlace}.`],
    SQLITE_CANTOPEN: [
      `${path} or its journal cannot be opened`,
      `Change the permissions of the folder, close some files, or ${betterPlace}.`,
    ],
  };
  const reason = reasons[familyOf(error)];
  return reason ? new RelayError("buffer", ...reason) : fileError(path, error);
}
