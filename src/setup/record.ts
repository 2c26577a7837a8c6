import { RelayError } from "../core/errors.ts";
import type { Path } from "./json-text.ts";
import { readContent, replaceContent } from "./write-file.ts";

/** A value that setup put into a JSON file, and that nothing but this record tells from the person's own. */
export interface Placed {
  path: Path;
  value: unknown;
}

/** What setup did to one file. */
export interface FileRecord {
  path: string;
  /** The content before, in base64; `null` if there was no file. */
  before: string | null;
  /** The SHA-256 of the content that setup wrote, in hex; `null` if setup removed the file. */
  after: string | null;
  /** What to remove, besides the parts that show whose they are, if the file was changed since. */
  placed: Placed[];
  /** Objects and arrays of the file that setup made. */
  containers: Path[];
  /** Folders that setup made for the file, the outermost first. */
  folders: string[];
}

/** Where setup had Claude Code register the server. */
export interface Registration {
  /** Claude Code's own file. */
  config: string;
  /** `CLAUDE_CONFIG_DIR`, if that was set. */
  configDirOverride: string | null;
}

/** What setup did, so that uninstall can undo it: one file, 0600, because it keeps the former content of other files. */
export interface InstallRecord {
  version: 1;
  files: FileRecord[];
  registrations: Registration[];
}

/** Reads the record; an empty one if there is none. Throws a `failed` error if it is damaged. */
export function readRecord(path: string): InstallRecord {
  return parse(readContent(path), path);
}

/** Stores what `change` makes of the record; an empty one removes its file. Throws a `failed` error. */
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

/** The SHA-256 of a content, in hex; `null` of none. */
export function hashOf(content: Uint8Array | null): string | null {
  return content && new Bun.CryptoHasher("sha256").update(content).digest("hex");
}

function parse(content: Buffer | null, path: string): InstallRecord {
  if (content === null) return { version: 1, files: [], registrations: [] };
  try {
    const record = JSON.parse(content.toString());
    if (record.version === 1 && Array.isArray(record.files) && Array.isArray(record.registrations))
      return record;
  } catch {} // refused below
  throw new RelayError(
    "failed",
    `${path}, the record of what relay set up, is damaged`,
    "Move it away, and run this again; without it permission rules and the status line have to be removed by hand.",
  );
}
