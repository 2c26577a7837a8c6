import {
  type FileRecord,
  hashOf,
  type InstallRecord,
  readRecord,
  updateRecord,
  withFile,
  withoutFile,
} from "./record.ts";
import { missingFolders, readContent, removeEmptyFolders, replaceContent } from "./write-file.ts";

/** One file that is to change. */
export interface FileChange {
  path: string;
  before: Buffer | null;
  /** `null` removes the file. */
  after: Buffer | null;
  /** What it does for the person, in a few words. */
  what: string;
  /** What the record says of the file from then on; `null`: nothing. */
  record: FileRecord | null;
}

/** A run of another program. */
export interface ExternalCommand {
  argv: string[];
  what: string;
  /** Runs it. Throws a `failed` error. */
  run(): Promise<void>;
  /** How the record changes before it, so that uninstall finds its work even if this is interrupted. */
  recordBefore?: (record: InstallRecord) => InstallRecord;
  /** How the record changes once it succeeded. */
  recordAfter?: (record: InstallRecord) => InstallRecord;
}

/** What setup, or uninstall, is going to do. Nothing was changed yet. */
export interface Plan {
  commands: ExternalCommand[];
  changes: FileChange[];
  /** What keeps it from working, or is left alone, and what to do about it. */
  warnings: string[];
  /** What the person is to do next. */
  next: string[];
  /** Why parts of it cannot be done while the others can. */
  failures: Error[];
}

/** Several plans, or parts of one, as one. */
export function mergePlans(plans: readonly Partial<Plan>[]): Plan {
  return {
    commands: plans.flatMap(({ commands = [] }) => commands),
    changes: plans.flatMap(({ changes = [] }) => changes),
    warnings: plans.flatMap(({ warnings = [] }) => warnings),
    next: plans.flatMap(({ next = [] }) => next),
    failures: plans.flatMap(({ failures = [] }) => failures),
  };
}

/**
 * Does what `plan` plans, and answers what was done. Other programs come first, because they may fail, and the files are
 * planned again after them: Claude Code writes its settings when it is run (seen, 2.1.330). The record is on the disk
 * before the change that it tells of. Throws a `failed` error; what was done until then stays, and the same command goes
 * on from there. With `continueOnError` it does the rest, and answers the errors among the failures.
 */
export async function applyPlan(
  plan: () => Promise<Plan>,
  recordPath: string,
  { continueOnError = false } = {},
): Promise<Plan> {
  const errors: Error[] = [];
  const attempt = async (work: () => void | Promise<void>) => {
    try {
      await work();
      return true;
    } catch (error) {
      if (!continueOnError) throw error;
      errors.push(error as Error);
      return false;
    }
  };
  const planned = await plan();
  const commands: ExternalCommand[] = [];
  for (const command of planned.commands) {
    if (command.recordBefore) updateRecord(recordPath, command.recordBefore);
    if (!(await attempt(command.run))) continue;
    if (command.recordAfter) updateRecord(recordPath, command.recordAfter);
    commands.push(command);
  }
  const { changes, failures } = planned.commands.length > 0 ? await plan() : planned;
  updateRecord(recordPath, (all) =>
    changes.reduce((left, { record }) => (record ? withFile(left, record) : left), all),
  );
  const done: FileChange[] = [];
  for (const change of changes) if (await attempt(() => changeFile(change, recordPath))) done.push(change);
  return { ...planned, commands, changes: done, failures: [...failures, ...errors] };
}

function changeFile({ path, before, after, record }: FileChange, recordPath: string): void {
  replaceContent(path, after, before);
  if (record) return;
  removeEmptyFolders(recordOf(readRecord(recordPath), path)?.folders ?? []);
  updateRecord(recordPath, (all) => withoutFile(all, path));
}

/** A file, and what the record says of it. */
export type RecordedFile = ReturnType<typeof readRecordedFile>;

/**
 * Reads a file, its record, whether it still is as setup left it, and the content before relay (`null` if there was none,
 * or there is no record). Throws a `failed` error if it cannot be read.
 */
export function readRecordedFile(all: InstallRecord, path: string) {
  const content = readContent(path);
  const record = recordOf(all, path);
  const isUntouched = record !== undefined && hashOf(content) === record.after;
  const original = record?.before == null ? null : Buffer.from(record.before, "base64");
  return { path, content, record, isUntouched, original };
}

/** The change that gives a file the content `after`, and lets uninstall bring back `base`. */
export function recordedChange(
  { path, content, record }: RecordedFile,
  base: Buffer | null,
  after: Buffer | null,
  { what, placed = [], containers = [] }: { what: string } & Partial<FileRecord>,
): FileChange & { record: FileRecord } {
  const before = base?.toString("base64") ?? null;
  const folders = [...new Set([...(record?.folders ?? []), ...(after ? missingFolders(path) : [])])];
  const next = { path, before, after: hashOf(after), placed, containers, folders };
  return { path, before: content, after, what, record: next };
}

function recordOf({ files }: InstallRecord, path: string): FileRecord | undefined {
  return files.find((file) => file.path === path);
}
