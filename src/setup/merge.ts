import type { JsonText, Path } from "./json-text.ts";
import type { FileRecord, Placed } from "./record.ts";

/** Changes the value at a place of a text, or leaves the text as it is. */
export type JsonChange = (json: JsonText, at: Path) => JsonText;

/** Something of relay's in another program's JSON file. */
export interface Entry {
  /** Of the property itself, or of the array that it is an element of. */
  path: readonly string[];
  kind: "property" | "element";
  /** The value to put there, given the property that is there now. */
  value(existing: unknown): unknown;
  /**
   * Removes relay's part of a value that shows whose it is. Without it the value might be the person's own, and only one
   * that the record names is removed.
   */
  remove?: JsonChange;
  /** Brings an element of relay's up to date, and keeps the person's changes to the rest of it. */
  update?: JsonChange;
  /** Removes the original's part of a value. */
  removeOriginal?: JsonChange;
}

/** What of a merged file has to be remembered. */
type Remembered = Pick<FileRecord, "placed" | "containers">;

/** Puts relay's entries in, takes the original's out, and moves nothing that is right already. */
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

/** Removes relay's entries, and the objects and arrays that were made for them if they are empty. */
export function unmerge(json: JsonText, entries: readonly Entry[], remembered: Remembered): JsonText {
  const { placed, containers } = remembered;
  let left = json;
  for (const { path, value } of placed) left = removePlaced(left, path, value);
  for (const { path, kind, remove } of entries) {
    if (remove) left = kind === "element" ? fromEach(left, path, remove) : remove(left, path);
  }
  const deepestFirst = containers.toSorted((a, b) => b.length - a.length);
  for (const path of deepestFirst) if (isEmpty(left.at(path))) left = left.remove(path);
  return left;
}

function mergeElement(json: JsonText, entry: Entry, value: unknown): JsonText {
  const { path, update, remove, removeOriginal } = entry;
  const kept = indexOf(json, entry, value);
  let merged = kept >= 0 && update ? update(json, [...path, kept]) : json;
  if (remove) merged = fromEach(merged, path, remove, kept);
  if (removeOriginal) merged = fromEach(merged, path, removeOriginal, kept);
  return kept >= 0 ? merged : merged.append(path, value);
}

/** Where the element is, perhaps with changes of the person's; -1 if it is not there. */
function indexOf(json: JsonText, { path, remove, update }: Entry, value: unknown): number {
  const found = json.at(path);
  if (!Array.isArray(found)) return -1;
  const same = found.findIndex((each) => Bun.deepEquals(each, value, true));
  if (same >= 0 || !update) return same;
  return found.findIndex((_, index) => remove?.(json, [...path, index]) !== json);
}

function setValue(json: JsonText, path: Path, value: unknown): JsonText {
  return Bun.deepEquals(json.at(path), value, true) ? json : json.set(path, value);
}

/** The last element first, so that indexes stay true; the one at `kept` stays. */
function fromEach(json: JsonText, path: Path, remove: JsonChange, kept = -1): JsonText {
  const found = json.at(path);
  if (!Array.isArray(found)) return json;
  return found.reduceRight<JsonText>(
    (left, _, index) => (index === kept ? left : remove(left, [...path, index])),
    json,
  );
}

function removePlaced(json: JsonText, path: Path, value: unknown): JsonText {
  const found = json.at(path);
  if (!Array.isArray(found)) return Bun.deepEquals(found, value, true) ? json.remove(path) : json;
  const index = found.findLastIndex((each) => Bun.deepEquals(each, value, true));
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
