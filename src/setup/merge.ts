import type { JsonText, Path } from "./json-text.ts";
import type { FileRecord, Placed } from "./record.ts";

/** Changes the value at a path of a text, or leaves the text as it is. */
export type JsonChange = (json: JsonText, at: Path) => JsonText;

/** An entry of relay's in another program's JSON file. */
export interface Entry {
  /** The path of the property, or of the array with the element. */
  path: readonly string[];
  kind: "property" | "element";
  /** The new value, given the existing value at the path. */
  value(existing: unknown): unknown;
  /** Removes relay's part of a value. Left out if only the record distinguishes the value from the person's own. */
  remove?: JsonChange;
  /** Updates an element of relay's, and keeps the person's changes to other parts of it. */
  update?: JsonChange;
  /** Removes the original's part of a value. */
  removeOriginal?: JsonChange;
}

/** The part of a file's record that a merge adds. */
type Remembered = Pick<FileRecord, "placed" | "containers">;

/** Inserts relay's entries and removes the original's. Correct entries stay in their places. */
export function merge(json: JsonText, entries: readonly Entry[]): Remembered & { json: JsonText } {
  const containers = missingContainers(json, entries);
  const placed: Placed[] = [];
  let merged = json;
  for (const entry of entries) {
    const { path, kind, remove } = entry;
    const value = entry.value(merged.at(path));
    const after = kind === "element" ? mergeElement(merged, entry, value) : setValue(merged, path, value);
    if (!remove && after !== merged) placed.push({ path, value });
    merged = after;
  }
  return { json: merged, placed, containers };
}

/** Removes relay's entries, and the empty containers that setup made for them. */
export function unmerge(json: JsonText, entries: readonly Entry[], remembered: Remembered): JsonText {
  const { placed, containers } = remembered;
  let rest = json;
  for (const { path, value } of placed) rest = removePlaced(rest, path, value);
  for (const { path, kind, remove } of entries) {
    if (remove) rest = kind === "element" ? changeElements(rest, path, remove) : remove(rest, path);
  }
  const deepestFirst = containers.toSorted((a, b) => b.length - a.length);
  for (const path of deepestFirst) if (isEmpty(rest.at(path))) rest = rest.remove(path);
  return rest;
}

function mergeElement(json: JsonText, entry: Entry, value: unknown): JsonText {
  const { path, update, remove, removeOriginal } = entry;
  const kept = indexOf(json, entry, value);
  let merged = kept >= 0 && update ? update(json, [...path, kept]) : json;
  if (remove) merged = changeElements(merged, path, remove, kept);
  if (removeOriginal) merged = changeElements(merged, path, removeOriginal, kept);
  return kept >= 0 ? merged : merged.append(path, value);
}

/** The index of the element, perhaps with changes of the person's; -1 if there is none. */
function indexOf(json: JsonText, { path, remove, update }: Entry, value: unknown): number {
  const elements = json.at(path);
  if (!Array.isArray(elements)) return -1;
  const index = elements.findIndex((element) => Bun.deepEquals(element, value, true));
  if (index >= 0 || !update) return index;
  return elements.findIndex((_, index) => remove?.(json, [...path, index]) !== json);
}

function setValue(json: JsonText, path: Path, value: unknown): JsonText {
  return Bun.deepEquals(json.at(path), value, true) ? json : json.set(path, value);
}

/** Changes each element but the one at `kept`; the last one first, because a removal shifts the indexes after it. */
function changeElements(json: JsonText, path: Path, change: JsonChange, kept = -1): JsonText {
  const elements = json.at(path);
  if (!Array.isArray(elements)) return json;
  return elements.reduceRight<JsonText>(
    (rest, _, index) => (index === kept ? rest : change(rest, [...path, index])),
    json,
  );
}

function removePlaced(json: JsonText, path: Path, value: unknown): JsonText {
  const existing = json.at(path);
  if (!Array.isArray(existing)) return Bun.deepEquals(existing, value, true) ? json.remove(path) : json;
  const index = existing.findLastIndex((element) => Bun.deepEquals(element, value, true));
  return index < 0 ? json : json.remove([...path, index]);
}

function missingContainers(json: JsonText, entries: readonly Entry[]): Path[] {
  const containers = entries.flatMap(({ path, kind }) =>
    path.map((_, index) => path.slice(0, index + 1)).slice(0, kind === "element" ? undefined : -1),
  );
  const missing = containers.filter((path) => json.at(path) === undefined);
  return [...new Map(missing.map((path) => [path.join("\n"), path])).values()];
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
