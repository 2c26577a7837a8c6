/**
 * What must not reach a screen or a model as it is: control characters but tab, LF and CRLF; characters that turn the
 * direction of text; separators that some screens take for a line's end; tag characters, which carry text nobody sees.
 */
const unsafe = /(?:(?![\t\n\r])\p{Cc}|\r(?!\n)|\p{Bidi_Control}|[\u2028\u2029]|[\u{e0000}-\u{e007f}])/gu;

// From this many on, equal characters in a row are shown once, with their count.
const longRun = 8;

// The return of a CRLF ends a run of returns.
const unsafeRuns = new RegExp(`(${unsafe.source})(?:(?!\\r\\n)\\1)*`, "gu");

/** A text as it may be shown, and how many of its characters had to be escaped. */
export interface Visible {
  text: string;
  escaped: number;
}

/** Shows unsafe characters as `\u001b` or `\u{e0041}`, a long run of one as `\u0000{65536 times}`. */
export function makeVisible(text: string): Visible {
  let escaped = 0;
  const visible = text.replace(unsafeRuns, (run: string, character: string) => {
    const count = run.length / character.length;
    escaped += count;
    const shown = escapeOf(character);
    return count < longRun ? shown.repeat(count) : `${shown}{${count} times}`;
  });
  return { text: visible, escaped };
}

function escapeOf(character: string): string {
  const hex = character.codePointAt(0)?.toString(16) ?? "";
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, "0")}`;
}

// Beyond what is unsafe in a text: what XML, and so some notifications, cannot hold.
const unshowable = new RegExp(`${unsafe.source}|\\p{Noncharacter_Code_Point}|\\p{Surrogate}`, "gu");

/** A text without what {@link makeVisible} would escape, and without the sequences that colour a terminal. */
export function stripUnsafe(text: string): string {
  return Bun.stripANSI(text).replace(unshowable, "");
}
