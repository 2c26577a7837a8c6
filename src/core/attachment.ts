import { RelayError } from "./errors.ts";
import { plural, thousands } from "./words.ts";

/** A file of a message. */
export interface Attachment {
  name: string;
  /** The media type that its bytes show. */
  type: string;
  /** In bytes. */
  size: number;
  /** In hexadecimal. */
  sha256: string;
}

/** A file to store. */
export interface NewAttachment extends Attachment {
  content: Uint8Array;
}

/** A file in a list, without its content. */
export interface ListedAttachment extends Attachment {
  /** Its content did not make room for others. */
  kept: boolean;
}

/** A stored file: its content is null once it made room for others. */
export interface StoredAttachment extends Attachment {
  content: Uint8Array | null;
}

/** The text of a message that has only files. */
export function textOfFiles(files: readonly Attachment[]): string {
  return `${plural(files.length, "file")}: ${files.map(({ name }) => name).join(", ")}`;
}

/** A file with its type and size, for people. */
export function describeFile({ name, type, size }: Pick<Attachment, "name" | "type" | "size">): string {
  return `${name} (${type}, ${thousands(size)} bytes)`;
}

/** The error for files that find no room beside unread ones. */
export function noRoomForFiles(): RelayError {
  const problem = "nothing was sent: the files that wait unread leave no room in the 64 MB that relay keeps";
  return new RelayError("failed", problem, "Send their paths, or wait until they are read.");
}
