import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorMessage, RelayError } from "../core/errors.ts";
import { realPathOrNull, syncFolder } from "../platform/files.ts";

/** The content of a file, links followed; `null` if there is none. Throws a `failed` error if it cannot be read. */
export function readContent(path: string): Buffer | null {
  try {
    // reading a pipe waits for its writer
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new RelayError("failed", `${path} is not a regular file`, "Move it away, and run this again.");
    }
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error instanceof RelayError ? error : fileError(path, "read", error);
  }
}

/** Whether two contents are the same; `null` is no file. */
export function isSameContent(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.from(a).equals(b);
}

/** The missing folders above this path, the outermost first. */
export function missingFolders(path: string): string[] {
  const missing: string[] = [];
  for (let folder = dirname(targetOf(path)); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  return missing;
}

/**
 * Refuses a file that cannot be written, and one that is read-only on purpose, in the Nix store or by its mode. Throws a
 * `failed` error that ends with `fix`.
 */
export function refuseReadOnly(path: string, fix = "Make it writable, and run this again."): void {
  const target = targetOf(path);
  const [place = dirname(target)] = existsSync(target) ? [target] : missingFolders(target).slice(0, 1).map(dirname);
  try {
    accessSync(place, constants.W_OK);
    if (statSync(place).mode & 0o222) return; // root may write every file
  } catch {}
  const where = place === path ? "" : `, because ${place} is`;
  throw new RelayError("failed", `${path} is read-only${where}`, fix);
}

/**
 * Gives a file this content, or removes it (`null`), unless it no longer has the content `expected`. Changes the file that
 * a symbolic link leads to. Keeps the owner, and the mode unless one is given; a new file gets 0600. Every reader finds the
 * old content or the new one, except in a file that can only be written in place. Throws a `failed` error; then nothing was
 * changed.
 */
export function replaceContent(
  path: string,
  content: Uint8Array | null,
  expected: Uint8Array | null,
  mode?: number,
): void {
  const target = targetOf(path);
  const refuseChanged = () => {
    if (isSameContent(readContent(target), expected)) return;
    throw new RelayError("failed", `${path} was changed by another program just now`, "Run this again.");
  };
  refuseChanged();
  try {
    removeTemporaryFiles(target);
    if (isSameContent(content, expected)) return;
    refuseReadOnly(path);
    if (content === null) rmSync(target, { force: true });
    else write(target, content, expected, refuseChanged, mode);
  } catch (error) {
    throw error instanceof RelayError ? error : fileError(path, "written", error);
  }
}

/** Removes the empty ones of these folders, the innermost first. */
export function removeEmptyFolders(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder);
    } catch {} // it is not empty
  }
}

// A file that is mounted alone (EBUSY, EXDEV), or whose owner or folder is another's, cannot be replaced, only written.
const onlyInPlace = ["EBUSY", "EXDEV", "EPERM", "EINVAL", "EACCES", "EROFS"];

function write(
  target: string,
  content: Uint8Array,
  expected: Uint8Array | null,
  refuseChanged: () => void,
  mode?: number,
): void {
  try {
    replace(target, content, refuseChanged, mode);
  } catch (error) {
    if (expected === null || !onlyInPlace.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    refuseChanged();
    try {
      writeDurably(target, "w", content);
    } catch (cause) {
      writeDurably(target, "w", expected); // such as on a full disk
      throw cause;
    }
  }
}

function replace(target: string, content: Uint8Array, refuseChanged: () => void, mode?: number): void {
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const old = statSync(target, { throwIfNoEntry: false });
  const temporary = `${temporaryPrefix(target)}${process.pid}`;
  try {
    writeDurably(temporary, "wx", content);
    if (process.platform !== "win32") {
      const { uid, gid } = statSync(temporary); // a folder may give its own group to a new file
      if (old && (old.uid !== uid || old.gid !== gid)) chownSync(temporary, old.uid, old.gid);
      chmodSync(temporary, mode ?? (old ? old.mode & 0o7777 : 0o600));
    }
    refuseChanged(); // writing may have taken long
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { force: true });
  }
  syncFolder(dirname(target));
}

function writeDurably(path: string, flags: "w" | "wx", content: Uint8Array): void {
  const descriptor = openSync(path, flags, 0o600);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function temporaryPrefix(target: string): string {
  return join(dirname(target), `.${basename(target)}.relay-`);
}

// A killed process leaves its temporary file behind. A running one fails without its file, and changes nothing.
function removeTemporaryFiles(target: string): void {
  const folder = dirname(target);
  if (!existsSync(folder)) return;
  const prefix = basename(temporaryPrefix(target));
  for (const name of readdirSync(folder)) if (name.startsWith(prefix)) rmSync(join(folder, name), { force: true });
}

/** The file that a path leads to, links followed. */
function targetOf(path: string): string {
  const target = realPathOrNull(path);
  if (target || !lstatSync(path, { throwIfNoEntry: false })) return target ?? path;
  throw new RelayError("failed", `${path} is a link that leads nowhere`, "Remove it, and run this again.");
}

const fixes: Record<string, string> = {
  EACCES: "Fix its permissions, or those of its folder.",
  EPERM: "Fix its permissions, or those of its folder.",
  EROFS: "Make its disk writable.",
  ENOSPC: "The disk is full; free some space.",
  EDQUOT: "The disk is full; free some space.",
  ELOOP: "Remove it: it is a link that leads to itself.",
  ENOTDIR: "Part of its path is a file; move that away.",
  ENOENT: "Run this again.", // another setup removed the temporary file
};

function fileError(path: string, what: "read" | "written", error: unknown): RelayError {
  const { code = errorMessage(error) } = error as NodeJS.ErrnoException;
  return new RelayError("failed", `${path} cannot be ${what}: ${code}`, fixes[code] ?? "It was left as it is.");
}
