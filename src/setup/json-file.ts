import { RelayError } from "../core/errors.ts";
import { type JsonText, jsonText } from "./json-text.ts";
import { merge, type Placement, unmerge } from "./merge.ts";
import { type FileChange, fileChange, readSince } from "./plan.ts";
import type { FileRecord, InstallRecord, Placed } from "./record.ts";

const byteOrderMark = "\uFEFF";

/** What of relay's is to stand in a JSON file, given what stands there and what setup placed there before. */
type Placements = (json: JsonText, placed: readonly Placed[]) => readonly Placement[];

/** What may have been placed in a file, should the record know nothing of it. */
type Guess = (json: JsonText) => Placed[];

/**
 * The change that puts relay's part into a JSON file of somebody else's; `null` if it is there. Throws a `failed` error
 * if the file cannot be read, or is not what it should be.
 */
export function mergeFile(
  record: InstallRecord,
  path: string,
  placements: Placements,
  what: string,
  guessed: Guess = () => [],
): FileChange | null {
  const { before, known, untouched, original } = readSince(record, path);
  const { mark, json } = decode(before ?? Buffer.alloc(0), path);
  const wanted = placements(json, known?.placed ?? []);
  const after = encode(mark, merge(withoutStale(json, known ?? nothingKnown, wanted), wanted).json);
  if (before?.equals(after)) return null;
  const bare = unmerge(json, wanted, known ?? { placed: guessed(json), containers: [] });
  const base = untouched ? original : before && !wasMade(known, bare) ? encode(mark, bare) : null;
  const { placed, containers } = merge(decode(base ?? Buffer.alloc(0), path).json, wanted);
  return fileChange(record, path, { before, base }, after, { placed, containers, what });
}

type Known = Pick<FileRecord, "placed" | "containers">;

const nothingKnown: Known = { placed: [], containers: [] };

// A rule for another buffer, say, that an earlier setup placed and this one would not.
function withoutStale(json: JsonText, { placed, containers }: Known, wanted: readonly Placement[]): JsonText {
  const isWanted = (each: Placed) =>
    wanted.some(({ path, value }) => Bun.deepEquals({ path, value: value(undefined) }, each, true));
  const stale = placed.filter((each) => !isWanted(each));
  return stale.length === 0 ? json : unmerge(json, [], { placed: stale, containers });
}

/**
 * The change that takes relay's part out of a JSON file again; `null` if there is none. A file that nobody changed
 * since comes back byte for byte. Throws what {@link mergeFile} throws.
 */
export function unmergeFile(
  record: InstallRecord,
  path: string,
  placements: readonly Placement[],
  what: string,
  guessed: Guess = () => [],
): FileChange | null {
  const { before, known, untouched, original } = readSince(record, path);
  const change = (after: Buffer | null): FileChange => ({ path, before, after, what, record: null });
  if (untouched) return change(original);
  if (before === null) return known ? change(null) : null;
  const current = decode(before, path);
  const left = unmerge(current.json, placements, known ?? { placed: guessed(current.json), containers: [] });
  if (left === current.json && !known) return null;
  return change(wasMade(known, left) ? null : encode(current.mark, left));
}

/** Whether a file is there only because of relay. */
function wasMade(known: FileRecord | undefined, bare: JsonText): boolean {
  return known !== undefined && known.before === null && bare.text.trim() === "{}";
}

function decode(content: Buffer, path: string): { mark: string; json: JsonText } {
  const text = decodeText(content, path);
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : "";
  return { mark, json: jsonText(text.slice(mark.length), path) };
}

function decodeText(content: Buffer, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new RelayError("failed", `${path} is not UTF-8 text. It was left alone; store it as UTF-8.`);
  }
}

function encode(mark: string, json: JsonText): Buffer {
  return Buffer.from(`${mark}${json.text}`);
}
