import { RelayError } from "../errors.ts";
import { type JsonText, jsonText } from "./json-text.ts";
import { type Merged, merge, type Placement, unmerge } from "./placement.ts";
import { type FileChange, fileChange, readSince } from "./plan.ts";
import type { InstallRecord } from "./record.ts";

const byteOrderMark = "\uFEFF";

/** What of relay's is to stand in a JSON file, given what stands there. */
type Placements = (json: JsonText) => readonly Placement[];

/**
 * The change that puts relay's part into a JSON file of somebody else's; `null` if it is there. Throws a `failed` error
 * if the file cannot be read, or is not what it should be.
 */
export function mergeFile(
  record: InstallRecord,
  path: string,
  placements: Placements,
  what: string,
): FileChange | null {
  const { before, known, untouched, original } = readSince(record, path);
  const current = before && decode(before, path);
  if (current) {
    const { json } = merge(current.json, placements(current.json));
    if (json === current.json && isUpToDate(known?.placed ?? [], placements(current.json))) return null;
  }
  const base = untouched
    ? original
    : before && encode(current, unmergeKnown(current?.json, placements, known));
  const { mark, json } = base ? decode(base, path) : { mark: "", json: jsonText("", path) };
  const merged = merge(json, placements(json));
  const after = encode({ mark }, merged.json);
  if (before?.equals(after)) return null;
  return fileChange(record, path, { before, base }, after, { ...merged, what });
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
): FileChange | null {
  const { before, known, untouched, original } = readSince(record, path);
  const change = (after: Buffer | null): FileChange => ({ path, before, after, what, record: null });
  if (untouched) return change(original);
  if (before === null) return known ? change(null) : null;
  const current = decode(before, path);
  const left = unmerge(current.json, placements, known ?? { placed: [], containers: [] });
  const wasMade = known !== undefined && known.before === null && left.text.trim() === "{}";
  if (left === current.json && !known) return null;
  return change(wasMade ? null : encode(current, left));
}

function unmergeKnown(
  json: JsonText | undefined,
  placements: Placements,
  known: Pick<Merged, "placed" | "containers"> | undefined,
) {
  return json && unmerge(json, placements(json), known ?? { placed: [], containers: [] });
}

// A rule for another buffer, say, that an earlier setup placed and this one would not.
function isUpToDate(placed: Merged["placed"], placements: readonly Placement[]): boolean {
  const wanted = placements.map(({ path, value }) => ({ path, value: value(undefined) }));
  return placed.every((each) => wanted.some((other) => Bun.deepEquals(other, each, true)));
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

function encode(from: { mark: string } | null, json: JsonText | undefined): Buffer {
  return Buffer.from(`${from?.mark ?? ""}${json?.text ?? ""}`);
}
