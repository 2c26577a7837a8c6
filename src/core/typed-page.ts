import { clientTitle } from "./client.ts";
import { tellLosses } from "./drop-report.ts";
import { counted, framedLength, frameMessages, type Labels, lengthOf, preambleLength } from "./frames.ts";
import { framePage, waiting } from "./page.ts";
import { type Fit, type Page, type PageMessage, readBy } from "./store.ts";

/** The most characters of a page through /get: an inline slot passes 30,000 of them (facts.md). */
const pageCharacters = 28_000;

// No first line, with the line on a message that is too long, is longer.
const headCharacters = 500;

const sender = clientTitle("desktop");

/** What a page through /get can hold, and the message that ended it because it is too long for any. */
export interface TypedFit {
  fit: Fit;
  tooLong(): PageMessage | null;
}

/** Measures one page. */
export function typedFit(labels: Labels = () => []): TypedFit {
  let tooLong: PageMessage | null = null;
  return {
    fit(messages, losses) {
      tooLong = null;
      const alone = pageCharacters - headCharacters - preambleLength;
      let left = alone - lengthOf(tellLosses(losses, "code"));
      for (const [index, message] of messages.entries()) {
        const length = framedLength(message, labels);
        left -= length;
        if (left >= 0) continue;
        if (length > alone) tooLong = message;
        return index;
      }
      return messages.length;
    },
    tooLong: () => tooLong,
  };
}

/** What `/get` shows: a page, and how the model can bring what did not fit. */
export function frameTyped(page: Page, tooLong: PageMessage | null, nonce: () => string): string {
  if (!tooLong) return framePage(page, "code", "typed", nonce);
  const note = `relay: message ${tooLong.id} is too long for /get. Call relay_fetch once, with limit 1, to get it whole; the person is asked first.`;
  if (page.messages.length > 0) return withNote(framePage(page, "code", "typed", nonce), note);
  const head = `relay: ${waiting(page).join(", ").replace("more waiting", `waiting from ${sender}`)}.`;
  return [head, ...tellLosses(page.losses, "code"), note].join("\n");
}

/** What `/get again` shows: the page that was delivered last, or what is left of it. */
export function frameAgain(messages: readonly PageMessage[], nonce: () => string): string {
  if (messages.length === 0) return "relay: nothing is left of a page that was delivered before.";
  const labels: Labels = (message) => (readBy(message, "code") ? ["shown before"] : []);
  const { fit } = typedFit(labels);
  const shown = messages.slice(0, fit(messages, []));
  const hidden = messages.length - shown.length;
  const head = `relay: the last page once more, ${counted(shown.length, "message")} from ${sender}. Asked for by the person, who typed /get again.`;
  const note = `relay: ${counted(hidden, "message")} of it did not fit. Call relay_fetch with unread_only false to see them; the person is asked first.`;
  return [head, ...(hidden > 0 ? [note] : []), ...frameMessages(shown, labels, nonce)].join("\n");
}

// Behind the first line, and before any text that somebody else wrote.
function withNote(page: string, note: string): string {
  const end = page.indexOf("\n");
  return `${page.slice(0, end)}\n${note}${page.slice(end)}`;
}
