import {
  type Edit,
  getNodeValue,
  modify,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { RelayError } from "../core/errors.ts";
import { insert, remove } from "./json-edits.ts";

/** The keys that lead from the root to a value. A number is an index in an array. */
export type Path = readonly (string | number)[];

/**
 * The text of another program's JSON file. Each change answers a new one, in which everything else stays: order,
 * indentation, line ends and the spelling of numbers.
 */
export interface JsonText {
  readonly text: string;
  /** The value at a path; `undefined` if there is none. */
  at(path: Path): unknown;
  /** Sets a property, and makes the objects above it. */
  set(path: Path, value: unknown): JsonText;
  /** Adds an element at the end of an array, and makes the containers above it. */
  append(path: Path, value: unknown): JsonText;
  /** Removes an existing property or element. */
  remove(path: Path): JsonText;
}

/**
 * Reads a JSON text as strictly as both Claudes do: at a comment or a trailing comma they ignore the whole file (facts.md).
 * An empty one is an empty object. Throws a `failed` error that names `file` if it is not JSON, is not an object, or has a
 * key twice on the path to a requested value.
 */
export function jsonText(text: string, file: string): JsonText {
  const source = text.trim() === "" ? "{\n}\n" : text;
  const root = parse(source, file);
  const insertAt = (path: Path, value: unknown, container: Node) => {
    const [edit] = modify(source, [...path], value, {}) as [Edit];
    return jsonText(insert(source, container, edit), file);
  };
  return {
    text,
    at(path) {
      const node = findNode(root, path, file);
      return node && getNodeValue(node);
    },
    set(path, value) {
      return insertAt(path, value, containerFor(root, path.slice(0, -1), "object", file));
    },
    append(path, value) {
      return insertAt([...path, -1], value, containerFor(root, path, "array", file));
    },
    remove(path) {
      const node = findNode(root, path, file);
      const item = typeof path.at(-1) === "number" ? node : node?.parent;
      if (!item?.parent) throw new Error(`nothing at ${path.join(".")} in ${file}`);
      return jsonText(remove(source, item.parent, item), file);
    },
  };
}

function parse(text: string, file: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true });
  const [error] = errors;
  if (error || !root || !isJson(text)) {
    const line = text.slice(0, error?.offset ?? 0).split("\n").length;
    const code = error ? printParseErrorCode(error.error) : "ValueExpected";
    const why = code.replace(/\B[A-Z]/g, " $&").toLowerCase();
    throw new RelayError("failed", `${file} is not valid JSON (line ${line}: ${why})`, leftAlone);
  }
  if (root.type !== "object") throw new RelayError("failed", `${file} is JSON, but not an object`, leftAlone);
  return root;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const leftAlone = "It was left alone; correct it or move it away, and run this again.";

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
  if (found.length <= 1) return found[0]?.children?.[1];
  throw new RelayError(
    "failed",
    `${file} has "${key}" twice`,
    "It was left alone; remove one of them, and run this again.",
  );
}

/** The innermost existing container above a new value. Throws a `failed` error if it has the wrong type. */
function containerFor(root: Node, path: Path, type: "object" | "array", file: string): Node {
  let depth = path.length;
  while (depth > 0 && !findNode(root, path.slice(0, depth), file)) depth -= 1;
  const node = findNode(root, path.slice(0, depth), file) ?? root;
  const wanted = depth === path.length ? type : "object";
  if (node.type === wanted) return node;
  const name = path.slice(0, depth).join(".");
  const article = wanted === "object" ? "an object" : "an array";
  throw new RelayError("failed", `"${name}" in ${file} is not ${article}`, leftAlone);
}
