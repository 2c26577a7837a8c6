import { RelayError } from "../errors.ts";
import { readContent, replaceContent } from "./file.ts";
import type { Path } from "./json-text.ts";

/** A value that setup put where anybody could have put the very same. */
export interface Placed {
  path: Path;
  value: unknown;
}

/** What setup did to one file. */
export interface FileRecord {
  path: string;
  /** The content before, in base64; `null` if there was no file. */
  before: string | null;
  /** The SHA-256 of the content that setup left behind, in hex; `null` if it took the file away. */
  after: string | null;
  /** Values to take out again from a file that was changed since, besides those that are known by their shape. */
  placed: Placed[];
  /** Objects and arrays of the file that setup made. */
  containers: Path[];
  /** Folders that setup made for the file, the outermost first. */
  folders: string[];
}

/** What setup did, so that uninstall can undo it: one file, 0600, because it keeps what other files held before. */
export interface InstallRecord {
  version: 1;
  files: FileRecord[];
}

/** Reads the record; an empty one if there is none. Throws a `failed` error if it is damaged. */
export function readRecord(path: string): InstallRecord {
  const content = readContent(path);
  if (content === null) return { version: 1, files: [] };
  try {
    const record = JSON.parse(content.toString());
    if (record.version === 1 && Array.isArray(record.files)) return record;
  } catch {} // said below
  throw new RelayError(
    "failed",
    `${path}, the record of what relay set up, is damaged. Move it away; what relay put into other files is then taken out by its looks.`,
  );
}

/** Stores the record; an empty one takes its file away. Throws a `failed` error. */
export function writeRecord(path: string, record: InstallRecord): void {
  const content = record.files.length === 0 ? null : Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
  replaceContent(path, content, readContent(path));
}

/** The record with this said of a file; `null`: nothing more. */
export function withFile(record: InstallRecord, path: string, entry: FileRecord | null): InstallRecord {
  const others = record.files.filter((file) => file.path !== path);
  return { ...record, files: entry ? [...others, entry] : others };
}

/** The SHA-256 of a content, in hex; `null` of none. */
export function hashOf(content: Uint8Array | null): string | null {
  return content && new Bun.CryptoHasher("sha256").update(content).digest("hex");
}
