import { applyEdits, type Edit, format, type Node } from "jsonc-parser";

/** Applies an insertion of jsonc-parser's, which is all in one line, in the layout of the values around it. */
export function insert(text: string, container: Node, edit: Edit): string {
  const newline = /\r?\n/.exec(text.trim())?.[0];
  const layout = newline ? { newline, step: /\n([ \t]+)\S/.exec(text)?.[1] ?? "  " } : null;
  return applyEdits(text, [layout ? layOut(text, container, edit, layout) : inLine(text, container, edit)]);
}

/** Line ends, and one step of indentation. */
type Layout = { newline: string; step: string };

function layOut(text: string, container: Node, edit: Edit, layout: Layout): Edit {
  const { offset, length, content } = edit;
  const { newline, step } = layout;
  if (length > 0) return { ...edit, content: print(content, layout, indentAt(text, offset)) };
  const sibling = container.children?.at(-1);
  if (!sibling) {
    const outer = indentAt(text, container.offset);
    const item = newline + outer + step + print(content, layout, outer + step);
    return { offset, length: container.length - 2, content: item + newline + outer };
  }
  const space = spaceBefore(text, container, sibling);
  if (!space.includes("\n")) return inLine(text, container, edit);
  const indent = space.slice(space.lastIndexOf("\n") + 1);
  return { offset, length: 0, content: `,${newline}${indent}${print(content.replace(/^,/, ""), layout, indent)}` };
}

function inLine(text: string, container: Node, edit: Edit): Edit {
  const sibling = container.children?.at(-1);
  if (!sibling || edit.length > 0) return edit;
  return { ...edit, content: edit.content.replace(/^,/, `,${spaceBefore(text, container, sibling)}`) };
}

function print(content: string, { newline, step }: Layout, indent: string): string {
  const tabs = step.startsWith("\t");
  const options = { insertSpaces: !tabs, tabSize: tabs ? 1 : step.length, eol: newline };
  return applyEdits(content, format(content, undefined, options)).replaceAll(newline, newline + indent);
}

/**
 * Removes a property or an element, with the white space before it. jsonc-parser's own removal turns `[1, 2]` into `[12]`
 * when it removes the last element (seen, 3.3.1).
 */
export function remove(text: string, container: Node, item: Node): string {
  const children = container.children ?? [];
  const { offset, length } = children[children.indexOf(item) - 1] ?? item;
  const [comma] = /^\s*,/.exec(text.slice(offset + length)) ?? [];
  const space = spaceBefore(text, container, item);
  const line = cut(item.offset - space.length, space.length + item.length);
  const rest = applyEdits(text, comma ? [line, cut(offset + length + comma.length - 1, 1)] : [line]);
  const inside = container.length - 2 - (text.length - rest.length);
  const start = container.offset + 1;
  const isBlank = rest.slice(start, start + inside).trim() === "";
  return isBlank ? applyEdits(rest, [cut(start, inside)]) : rest;
}

function cut(offset: number, length: number): Edit {
  return { offset, length, content: "" };
}

/** The indentation of the line at this offset. */
function indentAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

/** The white space between an item and a bracket or a comma before it. */
function spaceBefore(text: string, container: Node, item: Node): string {
  return /[ \t\r\n]*$/.exec(text.slice(container.offset + 1, item.offset))?.[0] ?? "";
}
