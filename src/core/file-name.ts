import { defuse, stripUnsafe } from "./escape.ts";

// Most file systems take 255 bytes, and some tools that encrypt names 143.
const nameBytes = 120;

// A longer one is no ending that a program knows.
const endingBytes = 20;

// https://learn.microsoft.com/windows/win32/fileio/naming-a-file
const forbidden = /[<>:"|?*]/g;
const reserved = /^(?:con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]|conin\$|conout\$)(?= *(?:\.|$))/i;

/**
 * Names for files in one folder, in the order of the names that their senders gave: a single part of a path on every system,
 * of 1 to 120 bytes of UTF-8, with nothing that does not show or that a client acts on in a prompt. No two differ in case alone.
 */
export function safeFileNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const safe = numberedNames(name).find((other) => !taken.has(keyOf(other))) ?? "";
    taken.add(keyOf(safe));
    return safe;
  });
}

/** Such names for one file, without an end: `plot.png`, `plot-2.png`, `plot-3.png` … */
export function* numberedNames(name: string): Generator<string, never> {
  const [stem, ending] = parts(cleaned(name));
  for (let number = 1; ; number += 1) {
    const end = number === 1 ? ending : `-${number}${ending}`;
    yield `${cut(stem, nameBytes - Buffer.byteLength(end))}${end}`;
  }
}

// macOS and Windows take two names for one if they differ only in case, or in the way an accent is written.
function keyOf(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

function cleaned(name: string): string {
  const last = name.split(/[/\\]/).findLast((part) => !/^[.\s]*$/.test(part)) ?? "";
  const visible = stripUnsafe(last).replace(/\s+/g, " ").replaceAll(forbidden, "_");
  const inert = defuse(visible).text.replaceAll("\u2060", "_");
  const trimmed = inert.replace(/^[-. ]+/, "").replace(/[. ]+$/, "");
  return (trimmed || "file").replace(reserved, "_$&");
}

function parts(name: string): [stem: string, ending: string] {
  const ending = /(?<=.)\.[^. ]+$/u.exec(name)?.[0] ?? "";
  if (Buffer.byteLength(ending) > endingBytes) return [name, ""];
  return [name.slice(0, name.length - ending.length), ending];
}

/** The beginning of a name, of at most this many bytes. */
function cut(text: string, bytes: number): string {
  let length = 0;
  let end = 0;
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) return stripUnsafe(text.slice(0, end)).replace(/[. ]+$/, ""); // half a flag does not show
    end += character.length;
  }
  return text;
}
