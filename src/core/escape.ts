/**
 * Characters that must not reach a screen or a model: control characters except tab, LF and CRLF; characters that change
 * the direction of text; separators that some screens take for a line end; characters that are not drawn, such as
 * variation selectors and tag characters, and could carry a hidden message; and the marks of annotations.
 */
const unsafe = String.raw`(?![\t\n\r])\p{Cc}|\r(?!\n)|[\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]`;

// A picture has one presentation at most, and a hidden message needs more characters.
const picture = String.raw`\p{Extended_Pictographic}[\ufe0e\ufe0f\p{Emoji_Modifier}]?`;

// The flags of England, Scotland and Wales, the only ones made of tag characters.
const flag = String.raw`\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}`;

// Persian and the languages of India are spelled with joiners and non-joiners between letters.
const scripts = ["Arab", "Syrc", "Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh"];

// Most commands show no text of a message, and to build this takes 0.1 ms.
function unsafeRuns(): RegExp {
  const letter = String.raw`(?=[\p{L}\p{M}])[${scripts.map((script) => `\\p{scx=${script}}`).join("")}]`;
  const legitimate = String.raw`[#*\d]\ufe0f\u20e3|${flag}|${picture}(?:\u200d${picture})*|(?<=${letter})[\u200c\u200d](?=${letter})`;
  // the return in a CRLF is safe, and belongs to no run of returns
  return new RegExp(`(${legitimate})|(${unsafe})(?:(?!\\r\\n)\\2)*`, "gu");
}

// This many equal characters in a row, and more, are shown once, with their count.
const longRun = 8;

/** A text that is safe to show, and the number of its characters that were escaped. */
export interface Visible {
  text: string;
  escaped: number;
}

/** Shows unsafe characters as `\u001b` or `\u{e0041}`, a long run of one as `\u0000{65536 times}`. */
export function makeVisible(text: string): Visible {
  let escaped = 0;
  const visible = text.replace(unsafeRuns(), (run: string, _legitimate: string | undefined, character?: string) => {
    if (character === undefined) return run;
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
const unshowable = /\p{Noncharacter_Code_Point}|\p{Surrogate}/gu;

/** A text without unsafe characters and without the sequences that colour a terminal. */
export function stripUnsafe(text: string): string {
  return Bun.stripANSI(text).replace(unshowable, "").replace(unsafeRuns(), "$1");
}

/** JSON that can be shown: it parses to the same value, and each unsafe character in it is an escape. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(new RegExp(unsafe, "gu"), (character) =>
    Array.from({ length: character.length }, (_, at) => escapeOf(character.charAt(at))).join(""),
  );
}

// Claude Code 2.1.330 takes an `@` for a mention after white space and after the marks `。、？！`, and each of these words
// for a request if the person types it. A letter or digit stands before the `@` of an e-mail address.
const active = /(?<![\w\p{Script=Latin}@])@|(?<=ultra)(?=code|plan|review|think)/giu;

/** A text that a client does not act on in a prompt, and the number of places where it would have. It reads the same. */
export function defuse(text: string): { text: string; defused: number } {
  let defused = 0;
  const inert = text.replace(active, (found) => {
    defused += 1;
    return `\u2060${found}`; // a word joiner is not drawn, and begins no mention
  });
  return { text: inert, defused };
}
