import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { errorMessage, RelayError } from "../core/errors.ts";

/** The advice for a place where no buffer can be. */
export const betterPlace = "set RELAY_DB to a file in a folder of your own on a disk of this machine";

/** The identity of a file, whatever its path. */
export interface FileIdentity {
  device: bigint;
  inode: bigint;
}

/** Whether both are the same file. One of them has to be open, or its inode may belong to another file by now. */
export function isSame(one: FileIdentity, other: FileIdentity): boolean {
  return one.device === other.device && one.inode === other.inode;
}

/** The file that the path leads to now, or `null` if there is none. */
export function identify(path: string): FileIdentity | null {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats ? { device: stats.dev, inode: stats.ino } : null;
  } catch {
    return null; // acceptBufferFile reports the reason
  }
}

/**
 * Makes an empty buffer file, readable and writable by its owner alone from its first byte. It follows no link and
 * leaves an existing file alone. Throws a `buffer` error, also for a folder that is not safe.
 */
export function createBufferFile(path: string): void {
  try {
    refuseDirectory(dirname(path));
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | (constants.O_NOFOLLOW ?? 0);
    const descriptor = openSync(path, flags, 0o600);
    fchmodSync(descriptor, 0o600); // the umask may take away more
    closeSync(descriptor);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw error instanceof RelayError ? error : fileError(path, error);
  }
}

/**
 * Decides whether the file at the path may be the buffer, without reading it. Answers the path with the person's own
 * links resolved, or `null` if there is no file. Throws a `buffer` error.
 */
export function acceptBufferFile(path: string): string | null {
  try {
    const entry = lstatSync(path, { throwIfNoEntry: false });
    refuseDirectory(dirname(path));
    if (!entry) return null;
    if (isDemoBuffer(path) && realpathSync(path) !== path)
      throw new RelayError("buffer", `${path} leads to a file that is not the demo's`, "Run: relay demo");
    if (entry.isSymbolicLink()) refuseOtherOwner(entry, path);
    const target = entry.isSymbolicLink() ? followLink(path) : path;
    refuseDirectory(dirname(target));
    const stats = statSync(target, { throwIfNoEntry: false });
    if (!stats) return null;
    acceptFile(stats, target);
    if (stats.dev !== statSync(dirname(target)).dev) refuseMount(target);
    // SQLite would believe a journal that another user left beside the file
    for (const companion of companionsOf(target)) {
      const found = lstatSync(companion, { throwIfNoEntry: false });
      if (found) refuseKind(found, companion);
      if (found) refuseOtherOwner(found, companion);
    }
    return target;
  } catch (error) {
    throw error instanceof RelayError ? error : fileError(path, error);
  }
}

/** Whether a path is that of a demo's buffer. Such a path follows no link, so that it never leads to the person's own. */
export function isDemoBuffer(path: string): boolean {
  return basename(dirname(path)).startsWith("relay-demo-");
}

/** Gives an accepted file and its companions to their owner alone. Throws a `buffer` error. */
export function tighten(file: string): void {
  if (uid === undefined) return;
  for (const path of [file, ...companionsOf(file)]) {
    try {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats && (stats.mode & 0o177) !== 0) chmodSync(path, 0o600);
    } catch (error) {
      // the original removes its journal whenever it is done
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw fileError(path, error);
    }
  }
}

/** The files that SQLite may keep beside a database file. */
export function companionsOf(file: string): string[] {
  return [`${file}-journal`, `${file}-wal`, `${file}-shm`];
}

/** The error for a file operation that the system refused. */
export function fileError(path: string, error: unknown): RelayError {
  const { code = "" } = error as NodeJS.ErrnoException;
  const denied = [
    `${path} is not accessible to you`,
    `Change its permissions or those of its folder, or ${betterPlace}.`,
  ] as const;
  const full = [
    `there is no room left on the disk of ${path}`,
    "Free some and try again; nothing was stored.",
  ] as const;
  const reasons: Record<string, readonly [message: string, fix: string]> = {
    ENOENT: [`the folder ${dirname(path)} does not exist`, `Create it, or ${betterPlace}.`],
    ENOTDIR: [`${dirname(path)} is not a folder`, `Move it away, or ${betterPlace}.`],
    EACCES: denied,
    EPERM: denied,
    EROFS: [`${path} is on a read-only disk`, `Make it writable, or ${betterPlace}.`],
    ENOSPC: full,
    EDQUOT: full,
    EMFILE: [`this process has too many files open to open ${path}`, "Close some and try again."],
    ELOOP: [`${path} is a link that leads to itself`, "Remove it."],
  };
  const [message, fix] = reasons[code] ?? [
    `${path} cannot be used: ${errorMessage(error)}`,
    `Check the disk, or ${betterPlace}.`,
  ];
  return new RelayError("buffer", message, fix);
}

function followLink(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new RelayError(
      "buffer",
      `${path} is a link to a file that does not exist`,
      "Remove the link, or create the file.",
    );
  }
}

function acceptFile(stats: Stats, path: string): void {
  refuseKind(stats, path);
  refuseOtherOwner(stats, path);
  if (uid === undefined) return;
  if ((stats.mode & 0o600) !== 0o600) {
    throw new RelayError("buffer", `${path} is read-only or unreadable to you`, `Run: chmod 600 ${path}`);
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
  if (problem) throw new RelayError("buffer", `${path} ${problem}`, "Move it away, or set RELAY_DB to another file.");
}

/**
 * Throws a `buffer` error for a file that is mounted alone, as into a container: SQLite keeps its journal beside the file, and
 * each side has another folder there. Reading the mounts takes longer than all else that an opening looks at.
 */
export function refuseMount(file: string): void {
  if (process.platform !== "linux") return;
  const point = file.replace(/[\s\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`); // proc(5)
  if (!readFileSync("/proc/self/mountinfo", "latin1").includes(` ${Buffer.from(point).toString("latin1")} `)) return;
  throw new RelayError(
    "buffer",
    `${file} is mounted without its folder, so its journal would be another one on each side`,
    "Put it into a folder of its own, mount that folder, and set RELAY_DB to the file in it on both sides.",
  );
}

// Windows has neither owner nor mode; the home folder's access list protects the file there.
const uid = process.getuid?.();
const gid = process.getgid?.();

function refuseOtherOwner(stats: Stats, path: string): void {
  if (uid === undefined || stats.uid === uid) return;
  throw new RelayError(
    "buffer",
    `${path} belongs to another user (uid ${stats.uid})`,
    "Set RELAY_DB to a file of your own, or run relay as its owner.",
  );
}

// A user who can write the folder can put another file in the buffer's place.
function refuseDirectory(directory: string): void {
  if (uid === undefined) return;
  const stats = statSync(directory);
  const others = stats.mode & 0o002;
  const group = stats.mode & 0o020 && stats.gid !== gid;
  if (stats.mode & 0o1000 || !(others || group)) return;
  const writers = others ? "anybody" : "a group other than your own";
  throw new RelayError(
    "buffer",
    `the folder ${directory} can be written by ${writers}, so the buffer in it would not be safe`,
    `Run: chmod go-w ${directory}, or ${betterPlace}.`,
  );
}
