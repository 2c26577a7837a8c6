import type { NewAttachment, StoredAttachment } from "../../core/attachment.ts";
import { composePage, type FoundMessages, projectOf } from "../../core/compose-page.ts";
import { emptyPage, type Lease, type Page, type PageMessage, type PageRequest } from "../../core/leased-page.ts";
import { pageBytes, typedPageCharacters } from "../../core/limits.ts";

/**
 * The version of the schema, major×1000+minor, which each call names. A newer minor one only adds. A newer major one is
 * refused by its own functions (functions.sql, `relay.accept`).
 */
export const schemaVersion = 1_001;

/** A page as the database answers it. */
export interface FoundPage extends Omit<FoundMessages, "readBefore"> {
  /** The waiting messages that it leased, if it did. */
  fitting: number[];
  /** The messages read before, the newest first; `null` without any. */
  read: PageMessage[] | null;
}

/** The page of what was found. */
export function compose(found: FoundPage | null, request: PageRequest): Page {
  if (!found) return emptyPage;
  return composePage({ ...found, readBefore: (limit) => (found.read ?? []).slice(0, limit) }, request);
}

/** A request's arguments. */
export function pageArguments(request: PageRequest) {
  const { reader, limit, includeRead, size, only = null } = request;
  // a character of UTF-16 has three bytes at most
  const bytes = size === "typed" ? 3 * typedPageCharacters : pageBytes;
  return { reader, limit, includeRead, only, bytes, wanted: projectOf(request) };
}

/** A lease's arguments. */
export function leaseArguments({ id, reader, unread, dropped, origin, project }: Lease) {
  return { lease: id, reader, unread, dropped, dropped_ids: dropped.map((message) => message.id), origin, project };
}

/** A file as the database answers it, with its content in base64. */
export type FoundFile = Omit<StoredAttachment, "content"> & { content: string | null };

/** The arguments of a message's files. */
export function fileArguments(files: readonly NewAttachment[]) {
  if (files.length === 0) return {};
  return { files: files.map((file) => ({ ...file, content: Buffer.from(file.content).toString("base64") })) };
}

/** A file that the database answered. */
export function readFile(file: FoundFile): StoredAttachment {
  return { ...file, content: file.content === null ? null : new Uint8Array(Buffer.from(file.content, "base64")) };
}
