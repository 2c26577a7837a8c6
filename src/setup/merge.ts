import type { JsonText, Path } from "./json-text.ts";
import type { Placed } from "./record.ts";

/** A text without something that stands at this place of it (or with it as it is to be), and otherwise as it was. */
export type TakeOut = (json: JsonText, at: Path) => JsonText;

/** Something of relay's that stands in somebody's JSON file. */
export interface Placement {
  /** Of the property itself, or of the array that it is an element of. */
  path: readonly string[];
  kind: "property" | "element";
  /** What is to stand there, given the property that stands there now. */
  value(existing: unknown): unknown;
  /**
   * Takes out what is relay's of a value, known by its looks. Without it, anybody could have put the very same there, and
   * only what the record says was placed is taken out.
   */
  takeOut?: TakeOut;
  /** Makes an element that is relay's say what it is to say, and keeps what somebody changed of it besides. */
  update?: TakeOut;
  /** Takes out what is the original's. */
  takeOutOriginal?: TakeOut;
}

/** A file with relay's part in it, and what of it has to be remembered. */
interface Merged {
  json: JsonText;
  placed: Placed[];
  containers: Path[];
}

/** Puts relay's part in and the original's out, and moves nothing that is right already. */
export function merge(json: JsonText, placements: readonly Placement[]): Merged {
  const containers = missingContainers(json, placements);
  const placed: Placed[] = [];
  let merged = json;
  for (const placement of placements) {
    const { path, kind, value, takeOut } = placement;
    const wanted = value(merged.at(path));
    const after =
      kind === "element" ? mergeElement(merged, placement, wanted) : mergeProperty(merged, path, wanted);
    if (!takeOut && after !== merged) placed.push({ path, value: wanted });
    merged = after;
  }
  return { json: merged, placed, containers };
}

/** Takes relay's part out, and the objects and arrays that were made for it if they are empty. */
export function unmerge(
  json: JsonText,
  placements: readonly Placement[],
  { placed, containers }: Pick<Merged, "placed" | "containers">,
): JsonText {
  let left = json;
  for (const { path, value } of placed) left = takePlaced(left, path, value);
  for (const { path, kind, takeOut } of placements) {
    if (!takeOut) continue;
    left = kind === "element" ? fromEach(left, path, takeOut) : fromProperty(left, path, takeOut);
  }
  const deepestFirst = containers.toSorted((a, b) => b.length - a.length);
  for (const path of deepestFirst) if (isEmpty(left.at(path))) left = left.remove(path);
  return left;
}

function mergeElement(json: JsonText, placement: Placement, wanted: unknown): JsonText {
  const { path, takeOut, takeOutOriginal, update } = placement;
  const kept = indexOf(json, placement, wanted);
  const updated = kept >= 0 && update ? update(json, [...path, kept]) : json;
  const sifted = [takeOut, takeOutOriginal].reduce(
    (left, take) => (take ? fromEach(left, path, take, kept) : left),
    updated,
  );
  return kept < 0 ? sifted.append(path, wanted) : sifted;
}

/** Where the element stands already, perhaps changed by somebody; -1 if it does not. */
function indexOf(json: JsonText, { path, takeOut, update }: Placement, wanted: unknown): number {
  const found = json.at(path);
  if (!Array.isArray(found)) return -1;
  const same = found.findIndex((each) => Bun.deepEquals(each, wanted, true));
  if (same >= 0 || !update) return same;
  return found.findIndex((_, index) => takeOut?.(json, [...path, index]) !== json);
}

function mergeProperty(json: JsonText, path: Path, wanted: unknown): JsonText {
  return Bun.deepEquals(json.at(path), wanted, true) ? json : json.set(path, wanted);
}

/** The last element first, so that places stay true; the one at `kept` stays. */
function fromEach(json: JsonText, path: Path, take: TakeOut, kept = -1): JsonText {
  const found = json.at(path);
  if (!Array.isArray(found)) return json;
  return found.reduceRight<JsonText>(
    (left, _, index) => (index === kept ? left : take(left, [...path, index])),
    json,
  );
}

function fromProperty(json: JsonText, path: Path, take: TakeOut): JsonText {
  return json.at(path) === undefined ? json : take(json, path);
}

function takePlaced(json: JsonText, path: Path, value: unknown): JsonText {
  const found = json.at(path);
  if (!Array.isArray(found)) return Bun.deepEquals(found, value, true) ? json.remove(path) : json;
  const index = found.findLastIndex((each) => Bun.deepEquals(each, value, true));
  return index < 0 ? json : json.remove([...path, index]);
}

function missingContainers(json: JsonText, placements: readonly Placement[]): Path[] {
  const missing = new Map<string, Path>();
  for (const { path, kind } of placements) {
    for (let length = 1; length < path.length + (kind === "element" ? 1 : 0); length++) {
      const way = path.slice(0, length);
      if (json.at(way) === undefined) missing.set(way.join("\n"), way);
    }
  }
  return [...missing.values()];
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
