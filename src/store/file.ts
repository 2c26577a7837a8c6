import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  lstatSync,
  openSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { errorMessage, RelayError } from "../core/errors.ts";

/** Which file a path led to, to notice that it leads to another one. */
export interface FileIdentity {
  device: bigint;
  inode: bigint;
  /** When the file was made, in nanoseconds; 0 where the file system does not know, so that the inode alone has to do. */
  born: bigint;
}

/** Whether both are the same file, if that of one of them is still open: then nobody else gets its inode. */
export function isSame(one: FileIdentity, other: FileIdentity): boolean {
  return one.device === other.device && one.inode === other.inode;
}

/** The file the path leads to right now, or `null` if there is none. */
export function identify(path: string): FileIdentity | null {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats ? { device: stats.dev, inode: stats.ino, born: stats.birthtimeNs } : null;
  } catch {
    return null; // a link to itself, or a folder that may not be entered: acceptBufferFile says which
  }
}

// Some file systems keep times in seconds, and one of them in steps of two.
const coarsestMilliseconds = 3_000;

/**
 * A text that stays the same as long as nobody writes into the file at this path, or puts another one there, and is
 * empty if there is none; `null` if the last write was so shortly before `now` that the next one could bear its time.
 */
export function contentVersion(path: string, now: number): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stats) return "";
  if (now - Number(stats.mtimeMs) < coarsestMilliseconds) return null;
  return `${stats.dev} ${stats.ino} ${stats.mtimeNs}`;
}

/**
 * Makes an empty buffer file, readable and writable by its owner alone from its first byte. It follows no link and
 * leaves what is there already alone. Throws a `buffer` error, also when the folder may not hold a buffer.
 */
export function createBufferFile(path: string): void {
  try {
    refuseDirectory(dirname(path));
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | (constants.O_NOFOLLOW ?? 0);
    const descriptor = openSync(path, flags, 0o600);
    fchmodSync(descriptor, 0o600); // the umask may have taken away more
    closeSync(descriptor);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw error instanceof RelayError ? error : unusable(path, error);
  }
}

/**
 * Decides whether the file at the path may be the buffer, without a look into it. Returns the path of the file itself,
 * the person's own links resolved, or `null` if there is none. Throws a `buffer` error that names the fix.
 */
export function acceptBufferFile(path: string): string | null {
  try {
    const entry = lstatSync(path, { throwIfNoEntry: false });
    refuseDirectory(dirname(path));
    if (!entry) return null;
    if (entry.isSymbolicLink()) refuseOthersOwn(entry, path);
    const target = entry.isSymbolicLink() ? followLink(path) : path;
    refuseDirectory(dirname(target));
    const stats = statSync(target, { throwIfNoEntry: false });
    if (!stats) return null;
    acceptFile(stats, target);
    // SQLite would believe a journal that somebody else left beside the file
    for (const companion of companionsOf(target)) {
      const found = lstatSync(companion, { throwIfNoEntry: false });
      if (found) refuseKind(found, companion);
      if (found) refuseOthersOwn(found, companion);
    }
    return target;
  } catch (error) {
    throw error instanceof RelayError ? error : unusable(path, error);
  }
}

/** Takes an accepted file, and what lies beside it, away from everybody but its owner. Throws a `buffer` error. */
export function tighten(file: string): void {
  changeModes([file, ...companionsOf(file)], (mode) => (mode & 0o177) !== 0);
}

/**
 * Makes what lies beside an accepted file usable: SQLite gives a journal the file's own mode, so one that was made while
 * the file was read-only stays so when the file no longer is. Throws a `buffer` error.
 */
export function mendCompanions(file: string): void {
  changeModes(companionsOf(file), (mode) => (mode & 0o600) !== 0o600);
}

/** Whether something is being written into this file, or was when its writer crashed. */
export function hasJournal(file: string): boolean {
  return (statSync(`${file}-journal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function changeModes(paths: readonly string[], isWrong: (mode: number) => boolean): void {
  if (uid === undefined) return;
  for (const path of paths) {
    try {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats && isWrong(stats.mode)) chmodSync(path, 0o600);
    } catch (error) {
      // the original removes its journal whenever it is done
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unusable(path, error);
    }
  }
}

function companionsOf(file: string): string[] {
  return [`${file}-journal`, `${file}-wal`, `${file}-shm`];
}

/** The sentence for an operation on the file that the system refused. */
export function unusable(path: string, error: unknown): RelayError {
  const { code } = error as NodeJS.ErrnoException;
  const why: Record<string, string> = {
    ENOENT: `the folder ${dirname(path)} does not exist. Create it, or set RELAY_DB to a file elsewhere.`,
    ENOTDIR: `${dirname(path)} is not a folder. Set RELAY_DB to a file in one.`,
    EACCES: `${path} is not accessible to you. Mend its permissions or those of its folder.`,
    EPERM: `${path} is not accessible to you. Mend its permissions or those of its folder.`,
    EROFS: `${path} is on a read-only disk. Set RELAY_DB to a file elsewhere.`,
    ENOSPC: `there is no room left on the disk of ${path}. Free some and try again; nothing was stored.`,
    EDQUOT: `there is no room left on the disk of ${path}. Free some and try again; nothing was stored.`,
    EMFILE: `this process has too many files open to open ${path}. Close some and try again.`,
    ELOOP: `${path} is a link that leads to itself. Remove it.`,
  };
  return new RelayError(
    "buffer",
    why[code ?? ""] ?? `${path} cannot be used: ${errorMessage(error)}. Set RELAY_DB to another file.`,
  );
}

function followLink(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new RelayError(
      "buffer",
      `${path} is a link to a file that does not exist. Remove the link, or create the file.`,
    );
  }
}

function acceptFile(stats: Stats, path: string): void {
  refuseKind(stats, path);
  refuseOthersOwn(stats, path);
  if (uid === undefined) return;
  if ((stats.mode & 0o600) !== 0o600) {
    throw new RelayError("buffer", `${path} is read-only or unreadable to you. Run: chmod 600 ${path}`);
  }
}

function refuseKind(stats: Stats, path: string): void {
  const problem = stats.isDirectory()
    ? "is a folder, not a file"
    : !stats.isFile()
      ? "is not a regular file"
      : stats.nlink > 1
        ? "has more than one name (hard links)"
        : null;
  if (problem)
    throw new RelayError("buffer", `${path} ${problem}. Move it away, or set RELAY_DB to another file.`);
}

// Windows has no owner and mode to compare; there the home folder's access list protects the file.
const uid = process.getuid?.();
const gid = process.getgid?.();

function refuseOthersOwn(stats: Stats, path: string): void {
  if (uid === undefined || stats.uid === uid) return;
  throw new RelayError(
    "buffer",
    `${path} belongs to another user (uid ${stats.uid}). Set RELAY_DB to a file of your own, or run relay as its owner.`,
  );
}

// Whoever may write into the folder may put another file in the buffer's place.
function refuseDirectory(directory: string): void {
  if (uid === undefined) return;
  const stats = statSync(directory);
  const others = stats.mode & 0o002;
  const group = stats.mode & 0o020 && stats.gid !== gid;
  if (stats.mode & 0o1000 || !(others || group)) return;
  const who = others ? "anybody" : "a group other than your own";
  throw new RelayError(
    "buffer",
    `the folder ${directory} can be written by ${who}, so the buffer in it would not be safe. Run: chmod go-w ${directory}`,
  );
}
