import { missingFolders, readContent, removeEmptyFolders, replaceContent } from "./file.ts";
import { type FileRecord, hashOf, type InstallRecord, readRecord, withFile, writeRecord } from "./record.ts";

/** One file that is to change. */
export interface FileChange {
  path: string;
  before: Buffer | null;
  /** `null` takes the file away. */
  after: Buffer | null;
  /** What it does for the person, in a few words. */
  what: string;
  /** What the record says of the file from then on; `null`: nothing. */
  record: FileRecord | null;
}

/** Something that another program does. */
export interface Errand {
  argv: string[];
  what: string;
  /** Does it. Throws a `failed` error. */
  run(): Promise<void>;
}

/** What setup, or uninstall, is going to do. Nothing was changed yet. */
export interface Plan {
  errands: Errand[];
  changes: FileChange[];
  /** What stands in the way of it working, or is left alone, and what to do about it. */
  warnings: string[];
  /** What the person is to do next. */
  next: string[];
}

/** Several plans as one. */
export function joined(plans: readonly Plan[]): Plan {
  return {
    errands: plans.flatMap(({ errands }) => errands),
    changes: plans.flatMap(({ changes }) => changes),
    warnings: plans.flatMap(({ warnings }) => warnings),
    next: plans.flatMap(({ next }) => next),
  };
}

/**
 * Carries out what `plan` plans, and answers what was done. What can fail for reasons of others, the errands, comes
 * first, and the files are planned anew after it: Claude Code writes its settings when it is run (seen, 2.1.330). Throws
 * a `failed` error; what was done until then stays, and the same command goes on from there.
 */
export async function carryOut<P extends Plan>(plan: () => Promise<P>, recordPath: string): Promise<P> {
  const first = await plan();
  for (const errand of first.errands) await errand.run();
  const { changes } = first.errands.length > 0 ? await plan() : first;
  changeFiles(changes, recordPath);
  return { ...first, changes };
}

/** The record is on the disk before what it tells of, so that whenever this is cut off, uninstall finds all of it. */
function changeFiles(changes: readonly FileChange[], recordPath: string): void {
  let record = readRecord(recordPath);
  const done = changes.map((change) => ({ ...change, folders: foldersOf(record, change) }));
  for (const { path, record: entry, folders } of done) {
    if (entry) record = withFile(record, path, { ...entry, folders });
  }
  if (done.some(({ record: entry }) => entry)) writeRecord(recordPath, record);
  for (const { path, after, before, record: entry, folders } of done) {
    replaceContent(path, after, before);
    if (entry) continue;
    record = withFile(record, path, null);
    removeEmptyFolders(folders);
  }
  if (done.some(({ record: entry }) => !entry)) writeRecord(recordPath, record);
}

/** The change that gives a file this content and lets the record bring back what was there before relay. */
export function fileChange(
  record: InstallRecord,
  path: string,
  found: { before: Buffer | null; base: Buffer | null },
  after: Buffer | null,
  rest: Pick<FileRecord, "placed" | "containers"> & { what: string },
): FileChange {
  const { what, placed, containers } = rest;
  const base = found.base?.toString("base64") ?? null;
  return {
    path,
    before: found.before,
    after,
    what,
    record: {
      path,
      before: base,
      after: hashOf(after),
      placed,
      containers,
      folders: recorded(record, path)?.folders ?? [],
    },
  };
}

/** What the record says of a file. */
function recorded(record: InstallRecord, path: string): FileRecord | undefined {
  return record.files.find((file) => file.path === path);
}

/** A file as it is, and as it was before relay if nobody changed it since. */
export function readSince(record: InstallRecord, path: string) {
  const before = readContent(path);
  const known = recorded(record, path);
  const untouched = known !== undefined && known.after === hashOf(before);
  const original = known?.before == null ? null : Buffer.from(known.before, "base64");
  return { before, known, untouched, original };
}

function foldersOf(record: InstallRecord, { path, after }: FileChange): string[] {
  const old = recorded(record, path)?.folders ?? [];
  return after === null ? old : [...new Set([...old, ...missingFolders(path)])];
}
