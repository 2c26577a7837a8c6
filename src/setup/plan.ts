import { RelayError } from "../core/errors.ts";
import {
  type FileRecord,
  hashOf,
  type InstallRecord,
  readRecord,
  updateRecord,
  withFile,
  withoutFile,
} from "./record.ts";
import { missingFolders, readContent, refuseReadOnly, removeEmptyFolders, replaceContent } from "./write-file.ts";

/** The headings of a checklist, in their order. */
export const sections = ["This machine", "Claude Code", "Claude Desktop", "Notifications"] as const;

/** The heading above a line of a checklist. */
export type Section = (typeof sections)[number];

/** A line of a checklist: right already, added, removed or not there, a problem with its fix. */
export interface Line {
  section: Section;
  mark: "✓" | "+" | "–" | "!";
  text: string;
}

/** A piece of work in words for the person. */
export interface Step {
  section: Section;
  mark: "+" | "–";
  /** What it does, in a few words. */
  what: string;
  /** What was done by it, each thing on a line of its own. */
  done: readonly string[];
}

/** The change of one file. */
export interface FileChange extends Step {
  path: string;
  before: Buffer | null;
  /** `null` removes the file. */
  after: Buffer | null;
  /** The file's new record; `null` removes the record. */
  record: FileRecord | null;
  /** relay's part as JSON, for a person who has to add it. */
  byHand?: string;
}

/** A run of another program. */
export interface ExternalCommand extends Step {
  argv: string[];
  /** The file that it changes, and relay's part of it as in {@link FileChange}. */
  path?: string;
  byHand?: string;
  /** Runs it. Throws a `failed` error. */
  run(): Promise<void>;
  /** Changes the record before the run, so that uninstall finds the work of an interrupted run. */
  recordBefore?: (record: InstallRecord) => InstallRecord;
  /** Changes the record after a run that succeeded. */
  recordAfter?: (record: InstallRecord) => InstallRecord;
}

/** The work that setup or uninstall is going to do. */
export interface Plan {
  commands: ExternalCommand[];
  changes: FileChange[];
  /** What is right already, is left out, or remains a problem. */
  lines: Line[];
  /** The person's next steps. */
  next: string[];
  /** The errors of parts that are not possible. */
  failures: Error[];
}

/** The lines of problems that remain, with their fixes. */
export function problems(section: Section, texts: readonly string[]): Line[] {
  return texts.map((text) => ({ section, mark: "!", text }));
}

/** The changes of a file, or the line that it is right already. */
export function changesOr(changes: FileChange[], section: Section, text: string): Partial<Plan> {
  return { changes, lines: changes.length > 0 ? [] : [{ section, mark: "✓", text }] };
}

/** Joins several plans into one. */
export function mergePlans(plans: readonly Partial<Plan>[]): Plan {
  return {
    commands: plans.flatMap(({ commands = [] }) => commands),
    changes: plans.flatMap(({ changes = [] }) => changes),
    lines: plans.flatMap(({ lines = [] }) => lines),
    next: plans.flatMap(({ next = [] }) => next),
    failures: plans.flatMap(({ failures = [] }) => failures),
  };
}

/**
 * Does the work that `plan` plans, and answers the work that was done. Other programs run first, because they may fail.
 * Then the files are planned again: Claude Code writes its settings when it runs (seen, 2.1.330). The record is on the disk
 * before the change that it records. Throws a `failed` error, before any change for a file that cannot be written. After
 * another error the work until then stays, the error names it, and the same command continues it. With `continueOnError`
 * it does the rest of the work, and answers the errors among the failures.
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
      if (!continueOnError) throw withDone(error, [...commands, ...done]);
      errors.push(error as Error);
      return false;
    }
  };
  const commands: ExternalCommand[] = [];
  const done: FileChange[] = [];
  const planned = await plan();
  if (!continueOnError) refuseUnwritable(planned, recordPath);
  for (const command of planned.commands) {
    if (command.recordBefore) updateRecord(recordPath, command.recordBefore);
    if (!(await attempt(command.run))) continue;
    if (command.recordAfter) updateRecord(recordPath, command.recordAfter);
    commands.push(command);
  }
  const { changes, failures } = planned.commands.length > 0 ? await plan() : planned;
  updateRecord(recordPath, (records) =>
    changes.reduce((updated, { record }) => (record ? withFile(updated, record) : updated), records),
  );
  for (const change of changes) if (await attempt(() => changeFile(change, recordPath))) done.push(change);
  return { ...planned, commands, changes: done, failures: [...failures, ...errors] };
}

/** Refuses a plan with a file that cannot be written, before any of its work. Throws a `failed` error. */
export function refuseUnwritable({ commands, changes }: Plan, recordPath: string): void {
  for (const { path, byHand } of [...commands, ...changes]) {
    if (path === undefined) continue;
    const advice = byHand ? `add this to it by hand: ${byHand}` : "see relay setup --dry-run for its content.";
    refuseReadOnly(path, `Make it writable, or ${advice}`);
  }
  if (commands.length + changes.length > 0) refuseReadOnly(recordPath);
}

function withDone(error: unknown, done: readonly Step[]): unknown {
  if (!(error instanceof RelayError) || done.length === 0) return error;
  const parts = done.map(({ what }) => what).join("; ");
  return new RelayError(
    error.kind,
    error.message,
    `${error.fix} Already done: ${parts}. relay uninstall takes that out.`,
  );
}

function changeFile({ path, before, after, record }: FileChange, recordPath: string): void {
  replaceContent(path, after, before);
  if (record) return;
  removeEmptyFolders(recordOf(readRecord(recordPath), path)?.folders ?? []);
  updateRecord(recordPath, (records) => withoutFile(records, path));
}

/** A file and its record. */
export type RecordedFile = ReturnType<typeof readRecordedFile>;

/**
 * Reads a file, its record, whether it is unchanged since setup, and its content from before setup (`null` if there was
 * none, or there is no record). Throws a `failed` error if it cannot be read.
 */
export function readRecordedFile(records: InstallRecord, path: string) {
  const content = readContent(path);
  const record = recordOf(records, path);
  const isUntouched = record !== undefined && hashOf(content) === record.after;
  const original = record?.before == null ? null : Buffer.from(record.before, "base64");
  return { path, content, record, isUntouched, original };
}

/** The change that gives a file the content `after`, and has uninstall restore `base`. */
export function recordedChange(
  { path, content, record }: RecordedFile,
  base: Buffer | null,
  after: Buffer | null,
  { placed = [], containers = [], ...step }: Step & Pick<Partial<FileRecord>, "placed" | "containers">,
): FileChange & { record: FileRecord } {
  const before = base?.toString("base64") ?? null;
  const folders = [...new Set([...(record?.folders ?? []), ...(after ? missingFolders(path) : [])])];
  const next = { path, before, after: hashOf(after), placed, containers, folders };
  return { ...step, path, before: content, after, record: next };
}

function recordOf({ files }: InstallRecord, path: string): FileRecord | undefined {
  return files.find((file) => file.path === path);
}
