import type { Node } from "jsonc-parser";

/** Where a text is to be changed. */
export interface Edit {
  offset: number;
  length: number;
  content: string;
}

/** A text with all of these changes made. */
export function applyEdits(text: string, edits: Edit[]): string {
  return [...edits]
    .sort((a, b) => b.offset - a.offset)
    .reduce(
      (all, { offset, length, content }) => all.slice(0, offset) + content + all.slice(offset + length),
      text,
    );
}

/** How a text is laid out: its line ends, none if it is all in one line, and one step of its indentation. */
function layoutOf(text: string): { newline: string; step: string } {
  if (text.trim() === "") return { newline: "\n", step: "  " };
  const newline = /\r?\n/.exec(text.trim())?.[0] ?? "";
  return { newline, step: /\n([ \t]+)\S/.exec(text)?.[1] ?? "  " };
}

/** The white space that the line of this place begins with. */
function indentAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

/** A value as it stands at this place of the text. */
export function print(value: unknown, text: string, offset: number, indent = indentAt(text, offset)): string {
  const { newline, step } = layoutOf(text);
  if (newline === "") return JSON.stringify(value);
  return JSON.stringify(value, null, step).replaceAll("\n", `${newline}${indent}`);
}

/** What adds a property of this name to an object, or an element to an array, behind all that is there. */
export function insertion(text: string, container: Node, value: unknown, key?: string): Edit[] {
  const { newline } = layoutOf(text);
  const name = key === undefined ? "" : `${JSON.stringify(key)}:${newline === "" ? "" : " "}`;
  const last = container.children?.at(-1);
  if (text.trim() === "") {
    return [{ offset: 0, length: text.length, content: `${print({ [String(key)]: value }, "", 0)}\n` }];
  }
  if (!last) return intoEmpty(text, container, name, value);

  const end = last.offset + last.length;
  const { comma, lineEnd } = afterItem(text, end);
  const before = leadOf(text, container, last);
  const lead = before.includes("\n")
    ? before.slice(before.lastIndexOf("\n") + 1)
    : /\/\/[^\r\n]*$/.test(text.slice(end, lineEnd))
      ? indentAt(text, last.offset) // behind a line comment a line must begin, whatever the layout
      : null;
  const item =
    lead === null
      ? `${before}${name}${JSON.stringify(value)}`
      : `${newline}${lead}${name}${print(value, text, last.offset, lead)}`;
  if (comma !== null) return [{ offset: lineEnd, length: 0, content: `${item},` }];
  return lineEnd === end
    ? [{ offset: end, length: 0, content: `,${item}` }]
    : [
        { offset: end, length: 0, content: "," },
        { offset: lineEnd, length: 0, content: item },
      ];
}

function intoEmpty(text: string, container: Node, name: string, value: unknown): Edit[] {
  const { newline, step } = layoutOf(text);
  const outer = indentAt(text, container.offset);
  const inside = text.slice(container.offset + 1, container.offset + container.length - 1);
  const lead = newline === "" ? "" : `${newline}${outer}${step}`;
  const closing = inside.includes("\n") ? "" : `${newline}${outer}`;
  const item = `${lead}${name}${print(value, text, container.offset, `${outer}${step}`)}`;
  // a comment that stands in an otherwise empty container stays behind the new item
  const rest = /^[ \t]*$/.test(inside) ? "" : inside;
  return [{ offset: container.offset + 1, length: inside.length, content: `${item}${rest}${closing}` }];
}

/** The white space before an item, or a line's if a comment stands there. */
function leadOf(text: string, container: Node, item: Node): string {
  const between = text.slice(container.offset + 1, item.offset);
  return /[ \t\r\n]*$/.exec(between)?.[0] ?? "";
}

/** Where the comma behind an item is, if there is one, and where what belongs to its line ends: comments included. */
function afterItem(text: string, end: number): { comma: number | null; lineEnd: number } {
  let comma: number | null = null;
  let lineEnd = end;
  let at = end;
  for (;;) {
    const [token] = /^(?:[ \t]+|,|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/)/.exec(text.slice(at)) ?? [];
    if (token === undefined) break;
    if (token === ",") {
      if (comma !== null) break;
      comma = at;
    }
    at += token.length;
    if (token.trim() !== "") lineEnd = at;
  }
  if (comma !== null) return { comma, lineEnd };
  comma = commaAfter(text, end);
  return comma === null ? { comma, lineEnd } : { comma, lineEnd: comma + 1 };
}

/** Where the next comma is, unless something else than white space and comments comes first. */
function commaAfter(text: string, end: number): number | null {
  const [gap = ""] = /^(?:\s|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/)*/.exec(text.slice(end)) ?? [];
  return text[end + gap.length] === "," ? end + gap.length : null;
}

/** What takes a property or an element out. */
export function removal(text: string, container: Node, item: Node): Edit[] {
  const children = container.children ?? [];
  const index = children.indexOf(item);
  const end = item.offset + item.length;
  const following = commaAfter(text, end);
  if (index === 0 && children.length > 1 && following !== null) {
    const space = /^[ \t\r\n]*/.exec(text.slice(following + 1))?.[0].length ?? 0;
    return [take(item.offset, item.length), take(following, 1 + space)];
  }
  const previous = children[index - 1];
  const comma = previous ? commaAfter(text, previous.offset + previous.length) : following;
  const edits = [cutLine(text, item, leadOf(text, container, item))];
  if (comma !== null) edits.push(take(comma, 1));
  const inside = applyEdits(text, edits).slice(container.offset + 1, remainingEnd(container, edits));
  return inside.trim() === "" ? [take(container.offset + 1, container.length - 2)] : edits;
}

function take(offset: number, length: number): Edit {
  return { offset, length, content: "" };
}

/** Where the closing bracket stands once these edits inside were made, none of which adds anything. */
function remainingEnd(container: Node, edits: Edit[]): number {
  return container.offset + container.length - 1 - edits.reduce((sum, { length }) => sum + length, 0);
}

// With the white space before it; but the end of a line comment must not go with what stands behind it.
function cutLine(text: string, item: Node, lead: string): Edit {
  const from = item.offset - lead.length;
  const line = text.slice(text.lastIndexOf("\n", from - 1) + 1, from);
  const rest = text.slice(item.offset + item.length);
  const commented = /\/\/[^\r\n]*$/.test(line) && !/^[ \t]*\r?\n/.test(rest);
  const kept = commented ? (/^\r?\n/.exec(lead)?.[0].length ?? 0) : 0;
  return take(from + kept, lead.length + item.length - kept);
}
