import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { errorMessage, RelayError } from "../core/errors.ts";

// A chain of links that is longer leads to itself.
const mostLinks = 40;

const newFolderMode = 0o700;

/** The content of a file, links followed; `null` if there is none. Throws a `failed` error if it cannot be read. */
export function readContent(path: string): Buffer | null {
  try {
    // a pipe would be waited for, and a device is nobody's configuration
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new RelayError("failed", `${path} is not a regular file. Move it away, and run this again.`);
    }
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error instanceof RelayError ? error : unusable(path, "read", error);
  }
}

/** The folders above this path that are not there yet, the outermost first. */
export function missingFolders(path: string): string[] {
  const missing: string[] = [];
  for (let folder = dirname(targetOf(path)); !existsSync(folder); folder = dirname(folder))
    missing.unshift(folder);
  return missing;
}

/** How a file is written. */
interface WriteOptions {
  /** The mode that it has from then on; its own if that is left out, and 0600 if it is new. */
  mode?: number;
}

/**
 * Gives a file this content, or takes the file away (`null`), unless it is no longer what `expected` says. A symbolic
 * link stays, and what it leads to is changed; the mode and the owner stay. Whoever reads meanwhile finds the old
 * content or the new one. Throws a `failed` error; then nothing was changed.
 */
export function replaceContent(
  path: string,
  content: Uint8Array | null,
  expected: Uint8Array | null,
  options: WriteOptions = {},
): void {
  const target = targetOf(path);
  const refuseChanged = () => {
    if (isSame(readContent(target), expected)) return;
    throw new RelayError("failed", `${path} was changed by another program just now. Run this again.`);
  };
  refuseChanged();
  try {
    if (content === null) {
      rmSync(target, { force: true });
      rmSync(besideOf(target), { force: true });
    } else writeBeside(target, content, refuseChanged, options);
  } catch (error) {
    throw error instanceof RelayError ? error : unusable(path, "written", error);
  }
}

/** Takes folders away that are empty, the innermost first. Others stay. */
export function removeEmptyFolders(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder);
    } catch {} // somebody uses it
  }
}

/** Takes away what a write that was cut off left beside a file. */
export function removeLeftover(path: string): void {
  rmSync(besideOf(targetOf(path)), { force: true });
}

// Always the same name, so that what a crash left behind goes with the next write; setups take turns.
function besideOf(target: string): string {
  return join(dirname(target), `.${basename(target)}.relay-new`);
}

function writeBeside(
  target: string,
  content: Uint8Array,
  refuseChanged: () => void,
  { mode }: WriteOptions,
): void {
  mkdirSync(dirname(target), { recursive: true, mode: newFolderMode });
  const old = statSync(target, { throwIfNoEntry: false });
  const beside = besideOf(target);
  rmSync(beside, { force: true });
  const descriptor = openSync(beside, "wx", 0o600);
  try {
    try {
      for (let at = 0; at < content.length; ) at += writeSync(descriptor, content, at);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (old) keepOwner(beside, old);
    if (process.platform !== "win32") chmodSync(beside, mode ?? (old ? old.mode & 0o7777 : 0o600));
    if (!isSame(readFileSync(beside), content)) throw new Error("the disk gave back something else");
    refuseChanged(); // the disk may have taken its time
    renameSync(beside, target);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  syncFolder(dirname(target));
}

// A folder may give its own group to what is made in it.
function keepOwner(path: string, { uid, gid }: Stats): void {
  const own = statSync(path);
  if (process.platform !== "win32" && (uid !== own.uid || gid !== own.gid)) chownSync(path, uid, gid);
}

// The rename itself must be on the disk before the record says so; Windows has no such call.
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } catch {
    // some file systems sync no folders
  } finally {
    closeSync(descriptor);
  }
}

/** Where a path leads, its last links followed, whether or not there is anything. */
function targetOf(path: string): string {
  let target = path;
  for (let links = 0; links < mostLinks; links++) {
    if (!lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink()) return target;
    // two dots in a link mean the folder above the one that it really lies in
    target = resolve(realpathSync(dirname(target)), readlinkSync(target));
  }
  throw new RelayError("failed", `${path} is a link that leads to itself. Remove it.`);
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.from(a).equals(Buffer.from(b));
}

function unusable(path: string, what: "read" | "written", error: unknown): RelayError {
  const { code } = error as NodeJS.ErrnoException;
  const fix: Record<string, string> = {
    EACCES: "Mend its permissions, or those of its folder.",
    EPERM: "Mend its permissions, or those of its folder.",
    EROFS: "The disk is read-only.",
    ENOSPC: "The disk is full; free some room.",
    EDQUOT: "The disk is full; free some room.",
    EISDIR: "There is a folder of that name; move it away.",
    ENOTDIR: "Part of its path is a file; move that away.",
  };
  return new RelayError(
    "failed",
    `${path} cannot be ${what}: ${code ?? errorMessage(error)}. ${fix[code ?? ""] ?? "It was left as it is."}`,
  );
}
