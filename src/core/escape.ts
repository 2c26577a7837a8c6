/**
 * Characters that must not reach a screen or a model: control characters except tab, LF and CRLF; characters that change
 * the direction of text; separators that some screens take for a line end; tag characters, which hold invisible text.
 */
const unsafe = /(?:(?![\t\n\r])\p{Cc}|\r(?!\n)|\p{Bidi_Control}|[\u2028\u2029]|[\u{e0000}-\u{e007f}])/gu;

// This many equal characters in a row, and more, are shown once, with their count.
const longRun = 8;

// The return in a CRLF is safe, and belongs to no run of returns.
const unsafeRuns = new RegExp(`(${unsafe.source})(?:(?!\\r\\n)\\1)*`, "gu");

/** A text that is safe to show, and the number of its characters that were escaped. */
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

// XML, in which some systems take a notification, holds no noncharacters and no lone surrogates either.
const unshowable = new RegExp(`${unsafe.source}|\\p{Noncharacter_Code_Point}|\\p{Surrogate}`, "gu");

/** A text without unsafe characters and without the sequences that colour a terminal. */
export function stripUnsafe(text: string): string {
  return Bun.stripANSI(text).replace(unshowable, "");
}
