import type { ImageContent, TextContent } from "@modelcontextprotocol/sdk/types.js";
import type { StoredAttachment } from "../core/attachment.ts";
import { errorMessage } from "../core/errors.ts";
import type { PageMessage } from "../core/leased-page.ts";
import { pageBytes, picturesPerPage } from "../core/limits.ts";
import { isPictureType, isTextType } from "../core/media-type.ts";
import {
  firstPart,
  missingContent,
  receivedFiles,
  type ShownFile,
  type ShownFiles,
  saveNote,
  textOf,
} from "../core/shown-file.ts";
import type { Store } from "../core/store.ts";
import { thousands } from "../core/words.ts";
import { fitPictureApart } from "./picture-process.ts";

// Claude Desktop takes 1,048,576 characters of JSON (facts.md, "Result sizes").
const resultCharacters = 1_000_000;

// For the rest of the answer, and for what stands around a picture.
const envelopeCharacters = 1_000;

/** A file of a message that is shown as a picture. */
interface PictureFile {
  name: string;
  message: number;
  content: Uint8Array;
}

/** Files for a page of Claude Desktop: those that the page's text names or holds, and the pictures after it. */
export interface DesktopFiles {
  files: ShownFiles;
  pictures: PictureFile[];
}

/** Reads the files of these messages. Texts share what the messages leave of a page. */
export async function filesForDesktop(messages: readonly PageMessage[], store: Store): Promise<DesktopFiles> {
  let space = pageBytes - messages.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0);
  const files = new Map<number, ShownFile[]>();
  const pictures: PictureFile[] = [];
  const show = (id: number, file: StoredAttachment): ShownFile => {
    const { name, type, size, content } = file;
    const named = (note: string) => ({ name, type, size, note });
    const missing = missingContent(file);
    if (content === null || missing) return named(missing ?? "");
    if (isPictureType(type) && pictures.length < picturesPerPage) {
      pictures.push({ name, message: id, content });
      return named(`picture ${pictures.length} below`);
    }
    const part = isTextType(type) ? firstPart(content, space) : null;
    if (part === null) return named(saveNote(id));
    space -= part.length;
    const cut = `the first ${thousands(part.length)} bytes; the person can have it whole with: relay save ${id}`;
    return { ...named(part.length < content.length ? cut : ""), text: textOf(part) };
  };
  for (const { id, files: own } of messages) {
    if (own.length > 0)
      files.set(
        id,
        receivedFiles(await store.readFiles(id)).map((file) => show(id, file)),
      );
  }
  return { files, pictures };
}

/** Makes the pictures fit into one answer beside the page's text, each after a line that names it. */
export async function showPictures(
  pictures: readonly PictureFile[],
  page: string,
  signal: AbortSignal,
): Promise<(TextContent | ImageContent)[]> {
  let space = resultCharacters - JSON.stringify(page).length;
  const shown: (TextContent | ImageContent)[] = [];
  for (const [index, { name, message, content }] of pictures.entries()) {
    const share = Math.floor(space / (pictures.length - index)) - envelopeCharacters;
    const title = `relay: picture ${index + 1}, "${name}" of message ${message},`;
    try {
      const { width, height, type, data } = await fitPictureApart(content, share, { signal });
      const text = `${title} ${thousands(width)} x ${thousands(height)} pixels`;
      shown.push({ type: "text", text }, { type: "image", data, mimeType: type });
      space -= data.length + envelopeCharacters;
    } catch (error) {
      const text = `${title} cannot be shown: ${errorMessage(error)}. The person can have it with: relay save ${message}`;
      shown.push({ type: "text", text });
    }
  }
  return shown;
}
