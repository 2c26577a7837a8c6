import { renderDropped } from "./drop-report.ts";
import { framedLength, type Labels, lengthOf, preambleLength } from "./frames.ts";
import type { Dropped, PageMessage, PageSize } from "./leased-page.ts";
import { pageBytes, picturesPerPage, typedPageCharacters } from "./limits.ts";
import { isPictureType, isTextType } from "./media-type.ts";

// The first line of a page, the one about other projects, and the one about a message that is too long fit into this.
const headCharacters = 800;

/** The number of messages that fit, from the first one on, and the id of a message that no page of this size holds. */
export interface Fit {
  count: number;
  tooLong: number | null;
}

/** Measures a page that reports these dropped messages. A tool's page holds at least one message of any length. */
export function fitPage(
  messages: readonly PageMessage[],
  dropped: readonly Dropped[],
  size: PageSize,
  labels: Labels = () => [],
): Fit {
  if (size === "tool") return { count: countFitting(messages, pageBytes, true), tooLong: null };
  const alone = typedPageCharacters - headCharacters - preambleLength;
  let space = alone - lengthOf(renderDropped(dropped));
  for (const [count, message] of messages.entries()) {
    const length = framedLength(message, labels);
    space -= length;
    if (space < 0) return { count, tooLong: length > alone ? message.id : null };
  }
  return { count: messages.length, tooLong: null };
}

/**
 * The number of messages, from the first one on, whose texts and text files have at most this many bytes together, and that
 * bring no more pictures than a page shows.
 */
export function countFitting(messages: readonly PageMessage[], bytes: number, atLeastOne: boolean): number {
  let space = bytes;
  let pictures = picturesPerPage;
  const end = messages.findIndex(({ message, sender, files }, index) => {
    space -= Buffer.byteLength(message);
    if (sender === "code") {
      // Code has its files on the disk, and not on the page
      for (const { type, size } of files) space -= isTextType(type) ? size : 0;
      pictures -= files.filter(({ type }) => isPictureType(type)).length;
    }
    return (space < 0 || pictures < 0) && !(atLeastOne && index === 0);
  });
  return end < 0 ? messages.length : end;
}
