import { renderDropped } from "./drop-report.ts";
import { framedLength, type Labels, lengthOf, preambleLength } from "./frames.ts";
import { pageBytes, typedPageCharacters } from "./limits.ts";
import type { Dropped, PageMessage, PageSize } from "./store.ts";

// The first line of a page, and the line on a message that is too long, are shorter.
const headCharacters = 500;

/** How many messages, from the first one on, a page holds; and the id of a message that no page of this size holds. */
export interface Fit {
  count: number;
  tooLong: number | null;
}

/** Measures a page that names these dropped messages. A tool's page holds at least one message, whatever its size. */
export function fitPage(
  messages: readonly PageMessage[],
  dropped: readonly Dropped[],
  size: PageSize,
  labels: Labels = () => [],
): Fit {
  if (size === "tool") return { count: countFitting(messages, pageBytes, true), tooLong: null };
  const alone = typedPageCharacters - headCharacters - preambleLength;
  let left = alone - lengthOf(renderDropped(dropped));
  for (const [count, message] of messages.entries()) {
    const length = framedLength(message, labels);
    left -= length;
    if (left < 0) return { count, tooLong: length > alone ? message.id : null };
  }
  return { count: messages.length, tooLong: null };
}

/** How many messages, from the first one on, have no more than so many bytes of text together. */
export function countFitting(messages: readonly PageMessage[], bytes: number, atLeastOne: boolean): number {
  let left = bytes;
  const end = messages.findIndex(({ message }, index) => {
    left -= Buffer.byteLength(message);
    return left < 0 && !(atLeastOne && index === 0);
  });
  return end < 0 ? messages.length : end;
}
