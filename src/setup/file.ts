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
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { RelayError, sentence } from "../errors.ts";

// A chain of links that is longer leads to itself.
const mostLinks = 40;

const newFolderMode = 0o700;

/** The content of a file, links followed; `null` if there is none. Throws a `failed` error if it cannot be read. */
export function readContent(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unusable(path, "read", error);
  }
}

/** The folders above this path that are not there yet, the outermost first. */
export function missingFolders(path: string): string[] {
  const missing: string[] = [];
  for (let folder = dirname(targetOf(path)); !existsSync(folder); folder = dirname(folder))
    missing.unshift(folder);
  return missing;
}

/**
 * Gives a file this content, or takes the file away (`null`), unless it is no longer what `expected` says. A link stays,
 * and what it leads to is changed; the mode and the owner stay; a new file is readable by its owner alone. Whoever
 * reads meanwhile finds the old content or the new one. Throws a `failed` error; then nothing was changed.
 */
export function replaceContent(path: string, content: Uint8Array | null, expected: Uint8Array | null): void {
  const found = readContent(path);
  if (!isSame(found, expected)) {
    throw new RelayError("failed", `${path} was changed by another program just now. Run this again.`);
  }
  try {
    const target = targetOf(path);
    if (content === null) rmSync(target, { force: true });
    else writeBeside(target, content);
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

function writeBeside(target: string, content: Uint8Array): void {
  mkdirSync(dirname(target), { recursive: true, mode: newFolderMode });
  const old = statSync(target, { throwIfNoEntry: false });
  const beside = join(dirname(target), `.${basename(target)}.relay-${crypto.randomUUID().slice(0, 8)}`);
  const descriptor = openSync(beside, "wx", 0o600);
  try {
    for (let at = 0; at < content.length; ) at += writeSync(descriptor, content, at);
    fsyncSync(descriptor);
    closeSync(descriptor);
    if (old) keepOwnerAndMode(beside, old.uid, old.gid, old.mode);
    if (!isSame(readFileSync(beside), content)) throw new Error("the disk gave back something else");
    renameSync(beside, target);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  syncFolder(dirname(target));
}

function keepOwnerAndMode(path: string, uid: number, gid: number, mode: number): void {
  if (process.platform === "win32") return;
  if (uid !== process.getuid?.() || gid !== process.getgid?.()) chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
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
    target = resolve(dirname(target), readlinkSync(target));
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
    `${path} cannot be ${what}: ${code ?? sentence(error)}. ${fix[code ?? ""] ?? "It was left as it is."}`,
  );
}
