import { isUtf8 } from "node:buffer";
import { basename } from "node:path";
import { RelayError } from "../core/errors.ts";
import { desktopConfigName } from "../platform/paths.ts";
import { type JsonText, jsonText } from "./json-text.ts";
import { type Entry, merge, unmerge } from "./merge.ts";
import { type FileChange, type RecordedFile, readRecordedFile, recordedChange, type Step } from "./plan.ts";
import type { InstallRecord, Placed } from "./record.ts";
import { readContent } from "./write-file.ts";

const byteOrderMark = "\uFEFF";

/** A JSON file; an empty object if there is none. Throws a `failed` error for one that is unreadable or no JSON object. */
export function readJson(path: string): JsonText {
  return decode(readContent(path), path).json;
}

/** The value of a JSON file; an empty object if it is missing, unreadable or no JSON object. */
export function readJsonObject(path: string): Record<string, unknown> {
  try {
    return objectIn(readJson(path).at([]));
  } catch {
    return {};
  }
}

/** A value as an object; an empty one for any other value. */
export function objectIn(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/**
 * The change that puts relay's entries into a JSON file of another program; none if they are there. The entries may
 * depend on the file's values and on those that setup put there before. Throws as {@link readJson}.
 */
export function mergeFile(
  records: InstallRecord,
  path: string,
  entriesFor: (json: JsonText, placed: readonly Placed[]) => readonly Entry[],
  step: (before: JsonText, after: JsonText) => Step,
): FileChange[] {
  const file = readRecordedFile(records, path);
  const { mark, json } = decode(file.content, path);
  const { placed = [], containers = [] } = file.record ?? {};
  const entries = entriesFor(json, placed);
  // such as the rule for a buffer that relay no longer uses
  const outdated = placed.filter((value) => !entries.some((entry) => isPlacedBy(entry, value)));
  const current = outdated.length > 0 ? unmerge(json, [], { placed: outdated, containers }) : json;
  const merged = merge(current, entries).json;
  const after = encode(mark, merged);
  if (file.content?.equals(after)) return [];
  const base = baseOf(file, mark, unmerge(json, entries, { placed, containers }));
  const byHand = JSON.stringify(merge(jsonText("", path), entries).json.at([]));
  const { placed: added, containers: made } = merge(decode(base, path).json, entries);
  const change = recordedChange(file, base, after, { ...step(json, merged), placed: added, containers: made });
  return [{ ...change, byHand }];
}

function isPlacedBy({ path, value }: Entry, placed: Placed): boolean {
  return Bun.deepEquals({ path, value: value(undefined) }, placed, true);
}

/**
 * The change that removes relay's entries from a JSON file; none if they are not there. A file that is unchanged since
 * setup is restored byte for byte. Throws as {@link readJson}.
 */
export function unmergeFile(records: InstallRecord, path: string, entries: readonly Entry[], step: Step): FileChange[] {
  const file = readRecordedFile(records, path);
  const { content: before, record } = file;
  if (!record && before === null) return [];
  const change = (after: Buffer | null): FileChange[] => [{ ...step, path, before, after, record: null }];
  if (file.isUntouched || before === null) return change(file.isUntouched ? file.original : null);
  const { mark, json } = decode(before, path);
  const bare = unmerge(json, entries, record ?? { placed: [], containers: [] });
  return bare === json && !record ? [] : change(baseOf(file, mark, bare));
}

/** The content of a file without relay, given its JSON without relay's entries. */
function baseOf({ content, record, isUntouched, original }: RecordedFile, mark: string, bare: JsonText) {
  if (isUntouched) return original;
  const isRelaysOwn = record !== undefined && original === null && bare.text.trim() === "{}";
  return content === null || isRelaysOwn ? null : encode(mark, bare);
}

function decode(content: Buffer | null, path: string): { mark: string; json: JsonText } {
  if (content && !isUtf8(content)) {
    throw new RelayError("failed", `${path} is not UTF-8 text`, "It was left alone; store it as UTF-8.");
  }
  const text = content?.toString() ?? "";
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : "";
  if (mark && basename(path) === desktopConfigName) {
    throw new RelayError(
      "failed",
      `${path} begins with a byte order mark (line 1), at which Claude Desktop drops every server in it`,
      "It was left alone; save it as UTF-8 without the mark.",
    );
  }
  const json = jsonText(text.slice(mark.length), path);
  if (["settings.json", "settings.local.json"].includes(basename(path))) refuseWrongTypes(json, path);
  return { mark, json };
}

// The settings that relay reads or writes. With another type Claude Code ignores the whole file (seen, 2.1.330); a hook or a
// rule of a wrong form it only skips.
const settingsTypes = {
  boolean: ["disableAllHooks", "sandbox.enabled"],
  array: ["permissions.allow", "permissions.ask", "permissions.deny", "sandbox.excludedCommands"],
  object: ["enabledPlugins", "env", "permissions", "sandbox", "statusLine"],
};

function refuseWrongTypes(settings: JsonText, file: string): void {
  for (const [type, keys] of Object.entries(settingsTypes)) {
    for (const key of keys) {
      const value = settings.at(key.split("."));
      const found = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
      if (value === undefined || found === type) continue;
      const problem = `"${key}" in ${file} is not ${type === "boolean" ? "a" : "an"} ${type}, so Claude Code ignores the whole file`;
      throw new RelayError("failed", problem, "It was left alone; correct it or move it away, and run this again.");
    }
  }
}

function encode(mark: string, json: JsonText): Buffer {
  return Buffer.from(`${mark}${json.text}`);
}
