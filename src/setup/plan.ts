import { errorMessage } from "../core/errors.ts";
import {
  type FileRecord,
  hashOf,
  type InstallRecord,
  openRecord,
  type RecordStore,
  type RegistrationRecord,
  withFile,
  withRegistration,
} from "./record.ts";
import {
  isSameContent,
  missingFolders,
  readContent,
  removeEmptyFolders,
  replaceContent,
} from "./write-file.ts";

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
  /** What the record says of a registration, from before the errand on; without it nothing changes there. */
  record?: RegistrationRecord;
  /** Does it. Throws a `failed` error. */
  run(): Promise<void>;
  /** What the record says once it is done. */
  done?: (record: InstallRecord) => InstallRecord;
}

/** What setup, or uninstall, is going to do. Nothing was changed yet. */
export interface Plan {
  errands: Errand[];
  changes: FileChange[];
  /** What stands in the way of it working, or is left alone, and what to do about it. */
  warnings: string[];
  /** What the person is to do next. */
  next: string[];
  /** Why parts of it cannot be done, while the others can, a sentence each. */
  failures: string[];
}

/** Several plans as one. */
export function joined(plans: readonly Plan[]): Plan {
  return {
    errands: plans.flatMap(({ errands }) => errands),
    changes: plans.flatMap(({ changes }) => changes),
    warnings: plans.flatMap(({ warnings }) => warnings),
    next: plans.flatMap(({ next }) => next),
    failures: plans.flatMap(({ failures }) => failures),
  };
}

/**
 * Carries out what `plan` plans, and answers what was done. What can fail for reasons of others, the errands, comes
 * first, and the files are planned anew after it: Claude Code writes its settings when it is run (seen, 2.1.330). Throws
 * a `failed` error; what was done until then stays, and the same command goes on from there. A `thorough` one, which
 * takes things out, does the rest all the same, and answers the errors among the failures.
 */
export async function carryOut(
  plan: () => Promise<Plan>,
  recordPath: string,
  thorough = false,
): Promise<Plan> {
  const first = await plan();
  const failures: string[] = [];
  const attempt = async (work: () => void | Promise<void>) => {
    try {
      await work();
      return true;
    } catch (error) {
      if (!thorough) throw error;
      failures.push(errorMessage(error));
      return false;
    }
  };
  const errands: Errand[] = [];
  for (const errand of first.errands) {
    const { record, done = (each) => each } = errand;
    if (record) openRecord(recordPath).update((all) => withRegistration(all, record.config, record));
    if (!(await attempt(() => errand.run()))) continue;
    errands.push(errand);
    openRecord(recordPath).update(done);
  }
  const second = first.errands.length > 0 ? await plan() : first;
  const changes = await changeFiles(second.changes, openRecord(recordPath), attempt);
  return { ...first, errands, changes, failures: [...second.failures, ...failures] };
}

type Attempt = (work: () => void) => Promise<boolean>;

/** The record is on the disk before what it tells of, so that whenever this is cut off, uninstall finds all of it. */
async function changeFiles(
  changes: readonly FileChange[],
  store: RecordStore,
  attempt: Attempt,
): Promise<FileChange[]> {
  const done: FileChange[] = [];
  const folders = new Map(changes.map((change) => [change.path, foldersOf(store.record, change)]));
  if (changes.some(({ record }) => record)) {
    store.update((all) =>
      changes.reduce(
        (left, { path, record }) =>
          record ? withFile(left, path, { ...record, folders: folders.get(path) ?? [] }) : left,
        all,
      ),
    );
  }
  for (const change of changes) {
    const { path, after, before, record } = change;
    if (!isSame(change) && !(await attempt(() => replaceContent(path, after, before)))) continue;
    done.push(change);
    if (record) continue;
    removeEmptyFolders(folders.get(path) ?? []);
    store.update((all) => withRegistration(withFile(all, path, null), path, null));
  }
  return done;
}

/** Whether a change leaves the file as it is, and only the record says something else from then on. */
export function isSame({ before, after }: FileChange): boolean {
  return isSameContent(before, after);
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
      previous: recorded(record, path) ? hashOf(found.before) : null,
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
  const hash = hashOf(before);
  const untouched =
    known !== undefined && (hash === known.after || (hash !== null && hash === known.previous));
  const original = known?.before == null ? null : Buffer.from(known.before, "base64");
  return { before, known, untouched, original };
}

function foldersOf(record: InstallRecord, { path, after }: FileChange): string[] {
  const old = recorded(record, path)?.folders ?? [];
  return after === null ? old : [...new Set([...old, ...missingFolders(path)])];
}
