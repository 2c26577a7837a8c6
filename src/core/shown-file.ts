import type { Attachment, StoredAttachment } from "./attachment.ts";
import { defuse, makeVisible } from "./escape.ts";
import { safeFileNames } from "./file-name.ts";
import { mediaTypeOf } from "./media-type.ts";
import type { Message } from "./message.ts";

/** A file as a page shows it. */
export interface ShownFile extends Pick<Attachment, "type" | "size"> {
  /** Its name, or its path where the reader finds it. */
  name: string;
  /** What there is to say of it after its name, type and size; empty for nothing. */
  note: string;
  /** Its text, as far as it stands in the page. */
  text?: string;
}

/** Files as pages show them, by the ids of their messages. */
export type ShownFiles = ReadonlyMap<number, readonly ShownFile[]>;

/** The files of a message with names that are safe, and the media types that their bytes show. */
export function receivedFiles(files: readonly StoredAttachment[]): StoredAttachment[] {
  return withSafeNames(files).map((file) => ({
    ...file,
    type: file.content ? mediaTypeOf(file.content, file.name) : file.type,
  }));
}

/** Files that a page only names. */
export function namedFiles({ id, files }: Pick<Message, "id" | "files">): ShownFile[] {
  return withSafeNames(files).map(({ kept, ...file }) => ({ ...file, note: kept ? saveNote(id) : notKept }));
}

/** The files with names and types that are safe to show. Another program may have stored anything. */
export function withSafeNames<File extends Attachment>(files: readonly File[]): File[] {
  const names = safeFileNames(files.map(({ name }) => name));
  return files.map((file, index) => {
    const type = /^[\w.+-]+\/[\w.+-]+$/.test(file.type) ? file.type : "application/octet-stream";
    return { ...file, name: names[index] ?? "file", type };
  });
}

const notKept = "no longer kept, because it made room for other files";

/** The reason why there is no content of a file to give; `null` if its content is as it was sent. */
export function missingContent({ content, sha256 }: StoredAttachment): string | null {
  if (content === null) return notKept;
  const isIntact = new Bun.CryptoHasher("sha256").update(content).digest("hex") === sha256;
  return isIntact ? null : "damaged in the buffer";
}

/** The way to a file that does not stand on a page. */
export function saveNote(id: number): string {
  return `not shown here; the person can have it with: relay save ${id}`;
}

/** Renders a page of at most this many characters, with the texts of files that fit into it. */
export function renderFitting(files: ShownFiles, characters: number, render: (files: ShownFiles) => string): string {
  const without = render(keepTexts(files, 0));
  return render(keepTexts(files, characters - without.length));
}

function keepTexts(files: ShownFiles, characters: number): ShownFiles {
  let left = characters;
  const fitting = ({ text, ...file }: ShownFile): ShownFile => {
    const length = text === undefined ? 0 : defuse(makeVisible(text).text).text.length + changesCharacters;
    if (text === undefined || length > left) return file;
    left -= length;
    return { ...file, text };
  };
  return new Map([...files].map(([id, list]) => [id, list.map(fitting)]));
}

// The note that something in a text was escaped or defused.
const changesCharacters = 80;

// A smaller part of a text says nothing.
const leastPart = 1_000;

/**
 * A text, or its beginning of at most this many bytes: whole lines, unless one is very long. `null` if that is too little
 * to show.
 */
export function firstPart(content: Uint8Array, bytes: number): Uint8Array | null {
  if (content.length <= bytes) return content;
  if (bytes < leastPart) return null;
  const lines = content.lastIndexOf(0x0a, bytes - 1) + 1;
  return content.subarray(0, lines > bytes / 2 ? lines : bytes);
}

/** The text of a file, without half a character at its end. */
export function textOf(content: Uint8Array): string {
  return new TextDecoder().decode(content, { stream: true });
}
