import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { RelayError } from "../core/errors.ts";
import { applyEdits, type Edit, insertion, print, removal } from "./json-edits.ts";

// No configuration is nested like that; a damaged file may be.
const mostLevels = 500;

/** The keys that lead to a value, from the root on. A number is a place in an array. */
export type Path = readonly (string | number)[];

/**
 * The text of somebody's JSON file. Each change answers a new one and touches nothing but what it names: order,
 * indentation, line endings, the spelling of numbers, comments and trailing commas stay. jsonc-parser reads it; its own
 * edits format whole lines and lose comments, so the edits are made here.
 */
export interface JsonText {
  readonly text: string;
  /** The value there; `undefined` if there is none. */
  at(path: Path): unknown;
  /** Sets a property, and makes the objects that lead to it. */
  set(path: Path, value: unknown): JsonText;
  /** Adds an element at the end of an array, and makes what leads to it. */
  append(path: Path, value: unknown): JsonText;
  /** Takes a property or an element out, which has to be there. */
  remove(path: Path): JsonText;
}

/**
 * Reads a JSON text, comments and trailing commas allowed; an empty one is an empty object. Throws a `failed` error that
 * names `file` if it is no JSON, or no object, is nested deeper than {@link mostLevels}, or has a key twice on the way to
 * what is asked for.
 */
export function jsonText(text: string, file: string): JsonText {
  const root = parse(text, file);
  const find = (path: Path) => findNode(root, path, file);
  const edited = (edits: Edit[]) => jsonText(applyEdits(text, edits), file);

  /** The innermost container on the way that is there, and the rest of the way. */
  const approach = (path: Path) => {
    let depth = 0;
    while (depth < path.length && find(path.slice(0, depth + 1))) depth += 1;
    const node = depth === 0 ? root : find(path.slice(0, depth));
    return { node: node as Node, rest: path.slice(depth), way: path.slice(0, depth) };
  };
  const demand = (node: Node, type: "object" | "array", way: Path) => {
    if (node.type === type) return;
    const kind = type === "object" ? "an object" : "an array";
    throw new RelayError(
      "failed",
      `"${way.join(".")}" in ${file} is not ${kind}. Mend it, and run this again.`,
    );
  };

  return {
    text,
    at(path) {
      const node = find(path);
      return node && nodeValue(node);
    },
    set(path, value) {
      const { node, rest, way } = approach(path);
      const [key, ...inner] = rest;
      if (key === undefined) {
        return edited([
          { offset: node.offset, length: node.length, content: print(value, text, node.offset) },
        ]);
      }
      demand(node, "object", way);
      return edited(insertion(text, node, wrap(inner, value), String(key)));
    },
    append(path, value) {
      const { node, rest, way } = approach(path);
      const [key, ...inner] = rest;
      demand(node, key === undefined ? "array" : "object", way);
      if (key === undefined) return edited(insertion(text, node, value));
      return edited(insertion(text, node, wrap(inner, [value]), String(key)));
    },
    remove(path) {
      const node = find(path);
      const item = typeof path.at(-1) === "number" ? node : node?.parent;
      if (!item?.parent) throw new Error(`nothing at ${path.join(".")} in ${file}`);
      return edited(removal(text, item.parent, item));
    },
  };
}

function parse(text: string, file: string): Node {
  if (text.trim() === "") return { type: "object", offset: 0, length: text.length, children: [] };
  const errors: ParseError[] = [];
  refuseDepth(text, file);
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error || !root) {
    const line = text.slice(0, error?.offset ?? 0).split("\n").length;
    const why = error ? printParseErrorCode(error.error) : "ValueExpected";
    throw new RelayError(
      "failed",
      `${file} is not valid JSON (line ${line}: ${why}). It was left alone; mend it.`,
    );
  }
  if (root.type !== "object") {
    throw new RelayError("failed", `${file} is JSON, but not an object. It was left alone; mend it.`);
  }
  return root;
}

// Whatever walks the tree calls itself for each level, and to run out of stack may take many seconds.
function refuseDepth(text: string, file: string): void {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (scanner.scan(); scanner.getTokenLength() > 0; scanner.scan()) {
    const token = scanner.getTokenLength() === 1 ? text[scanner.getTokenOffset()] : "";
    if (token === "{" || token === "[") depth += 1;
    if (token === "}" || token === "]") depth -= 1;
    if (depth <= mostLevels) continue;
    throw new RelayError(
      "failed",
      `${file} is nested more than ${mostLevels} deep. It was left alone; mend it.`,
    );
  }
}

function findNode(root: Node, path: Path, file: string): Node | undefined {
  let node: Node | undefined = root;
  for (const key of path) {
    if (typeof key === "number") node = node?.type === "array" ? node.children?.[key] : undefined;
    else node = node?.type === "object" ? propertyOf(node, key, file) : undefined;
  }
  return node;
}

function propertyOf(node: Node, key: string, file: string): Node | undefined {
  const found = node.children?.filter(({ children }) => children?.[0]?.value === key) ?? [];
  if (found.length > 1) {
    throw new RelayError("failed", `${file} has "${key}" twice. It was left alone; take one of them out.`);
  }
  return found[0]?.children?.[1];
}

// jsonc-parser's own getNodeValue makes objects that a key named __proto__ can reach
function nodeValue(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(nodeValue);
  if (node.type !== "object") return node.value;
  return Object.fromEntries(
    (node.children ?? []).flatMap(({ children: [key, value] = [] }) =>
      key && value ? [[key.value, nodeValue(value)]] : [],
    ),
  );
}

function wrap(path: Path, value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}
