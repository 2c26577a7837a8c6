import { RelayError } from "../core/errors.ts";
import type { Path } from "./json-text.ts";
import { readContent, replaceContent } from "./write-file.ts";

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
  /** Likewise of what an earlier setup left behind; it is there still if the last one was cut off. */
  previous: string | null;
  /** Values to take out again from a file that was changed since, besides those that are known by their shape. */
  placed: Placed[];
  /** Objects and arrays of the file that setup made. */
  containers: Path[];
  /** Folders that setup made for the file, the outermost first. */
  folders: string[];
}

/** A server that setup had Claude Code register. */
export interface RegistrationRecord {
  /** Claude Code's own file. */
  config: string;
  /** `CLAUDE_CONFIG_DIR`, if that was set. */
  claudeFolder: string | null;
  entry: unknown;
}

/** What setup did, so that uninstall can undo it: one file, 0600, because it keeps what other files held before. */
export interface InstallRecord {
  version: 1;
  files: FileRecord[];
  registrations: RegistrationRecord[];
}

/** The record on the disk. */
export interface RecordStore {
  readonly record: InstallRecord;
  /** Stores what `change` makes of it; an empty one takes its file away. Throws a `failed` error, also if another setup wrote meanwhile. */
  update(change: (record: InstallRecord) => InstallRecord): void;
}

/** Opens the record; an empty one if there is none. Throws a `failed` error if it is damaged. */
export function openRecord(path: string): RecordStore {
  let content = readContent(path);
  let record = parse(content, path);
  return {
    get record() {
      return record;
    },
    update(change) {
      const next = change(record);
      if (next === record) return;
      const isEmpty = next.files.length + next.registrations.length === 0;
      const signed = { ...next, sha256: sumOf(next) };
      const wanted = isEmpty ? null : Buffer.from(`${JSON.stringify(signed, null, 2)}\n`);
      replaceContent(path, wanted, content, 0o600);
      [content, record] = [wanted, next];
    },
  };
}

/** The record as it is. Throws what {@link openRecord} throws. */
export function readRecord(path: string): InstallRecord {
  return openRecord(path).record;
}

/** The record with this said of a file; `null`: nothing more. */
export function withFile(record: InstallRecord, path: string, entry: FileRecord | null): InstallRecord {
  const others = record.files.filter((file) => file.path !== path);
  return { ...record, files: entry ? [...others, entry] : others };
}

/** The record with this said of the registration in one of Claude Code's own files; `null`: nothing more. */
export function withRegistration(
  record: InstallRecord,
  config: string,
  entry: RegistrationRecord | null,
): InstallRecord {
  const others = record.registrations.filter((each) => each.config !== config);
  return { ...record, registrations: entry ? [...others, entry] : others };
}

/** The SHA-256 of a content, in hex; `null` of none. */
export function hashOf(content: Uint8Array | null): string | null {
  return content && new Bun.CryptoHasher("sha256").update(content).digest("hex");
}

function parse(content: Buffer | null, path: string): InstallRecord {
  if (content === null) return { version: 1, files: [], registrations: [] };
  try {
    const { version, files, registrations, sha256 } = JSON.parse(content.toString());
    const record: InstallRecord = { version, files, registrations };
    if (version === 1 && sha256 === sumOf(record)) return record; // and what else may stand there is not carried on
  } catch {} // said below
  throw new RelayError(
    "failed",
    `${path}, the record of what relay set up, is damaged. Move it away; what relay put into other files is then taken out by its looks.`,
  );
}

// What other files held before is given back from here, byte for byte: a record with a byte changed must not be believed.
function sumOf({ files, registrations }: InstallRecord): string | null {
  return hashOf(Buffer.from(JSON.stringify([files, registrations])));
}
