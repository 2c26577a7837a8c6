import { RelayError } from "../core/errors.ts";
import type { Path } from "./json-text.ts";
import { readContent, replaceContent } from "./write-file.ts";

/** A value that setup put into a JSON file, and that only this record distinguishes from the person's own. */
export interface Placed {
  path: Path;
  value: unknown;
}

/** The record of one file that setup changed. */
export interface FileRecord {
  path: string;
  /** The content before, in base64; `null` if there was no file. */
  before: string | null;
  /** The SHA-256 of the content that setup wrote, in hex; `null` if setup removed the file. */
  after: string | null;
  /** Values to remove from a file that was changed since, besides those that are recognizably relay's. */
  placed: Placed[];
  /** Objects and arrays in the file that setup made. */
  containers: Path[];
  /** Folders that setup made for the file, the outermost first. */
  folders: string[];
}

/** A registration of the server by Claude Code. */
export interface Registration {
  /** Claude Code's own file. */
  config: string;
  /** `CLAUDE_CONFIG_DIR`, if that was set. */
  configDirOverride: string | null;
}

/** The record of setup's work, for uninstall to undo: one file, 0600, because it keeps the old content of other files. */
export interface InstallRecord {
  version: 1;
  files: FileRecord[];
  registrations: Registration[];
}

/** Reads the record; a missing one is empty. Throws a `failed` error if it is damaged. */
export function readRecord(path: string): InstallRecord {
  return parse(readContent(path), path);
}

/** Changes the stored record; an empty one removes its file. Throws a `failed` error. */
export function updateRecord(path: string, change: (record: InstallRecord) => InstallRecord): void {
  const stored = readContent(path);
  const record = change(parse(stored, path));
  const isEmpty = record.files.length + record.registrations.length === 0;
  const content = isEmpty ? null : Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
  replaceContent(path, content, stored, 0o600);
}

/** The record with this entry for its file. */
export function withFile(record: InstallRecord, file: FileRecord): InstallRecord {
  return { ...record, files: [...record.files.filter(({ path }) => path !== file.path), file] };
}

/** The record with this registration. */
export function withRegistration(record: InstallRecord, registration: Registration): InstallRecord {
  const others = record.registrations.filter(({ config }) => config !== registration.config);
  return { ...record, registrations: [...others, registration] };
}

/** The record without anything about this file. */
export function withoutFile(record: InstallRecord, path: string): InstallRecord {
  return {
    ...record,
    files: record.files.filter((file) => file.path !== path),
    registrations: record.registrations.filter(({ config }) => config !== path),
  };
}

/** The SHA-256 of a content, in hex; `null` for no file. */
export function hashOf(content: Uint8Array | null): string | null {
  return content && new Bun.CryptoHasher("sha256").update(content).digest("hex");
}

function parse(content: Buffer | null, path: string): InstallRecord {
  if (content === null) return { version: 1, files: [], registrations: [] };
  try {
    const record = JSON.parse(content.toString());
    if (record.version === 1 && Array.isArray(record.files) && Array.isArray(record.registrations)) return record;
  } catch {} // refused below
  throw new RelayError(
    "failed",
    `${path}, the record of what relay set up, is damaged`,
    "Move it away, and run this again. Then remove permission rules and the status line by hand.",
  );
}
