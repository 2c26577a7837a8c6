import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { errorMessage, RelayError } from "../core/errors.ts";
import { numberedNames } from "../core/file-name.ts";

/** A file to write. Its sender chose the name. */
export interface NewFile {
  name: string;
  content: Uint8Array;
}

/**
 * Writes a file of a message where Claude Code finds it: into the message's folder below `root`, which nobody else can read.
 * Answers its path. Throws a `failed` error.
 */
export function receiveFile(root: string, id: number, file: NewFile): string {
  const folder = join(root, String(id));
  for (const path of [root, folder]) makeOwnFolder(path);
  return saveFile(folder, file, 0o600);
}

/**
 * Writes a file into a folder, and answers its path. It follows no link and overwrites nothing: beside another file of its name
 * it gets a number, and the same content is not written twice. Throws a `failed` error.
 */
export function saveFile(folder: string, { name, content }: NewFile, mode = 0o666): string {
  for (const free of numberedNames(name)) {
    const path = join(folder, free);
    if (writeNew(path, content, mode) || holds(path, content)) return path;
  }
  throw new Error("unreachable");
}

/** Removes the folders of messages that `areKept` does not name, and the folder `root` if none is left. Never throws. */
export async function sweepFiles(root: string, areKept: (ids: number[]) => Promise<readonly number[]>): Promise<void> {
  try {
    if (!lstatSync(root).isDirectory()) return;
    const ids = readdirSync(root)
      .filter((name) => /^[1-9]\d{0,14}$/.test(name))
      .map(Number);
    const kept = new Set(await areKept(ids));
    for (const id of ids) if (!kept.has(id)) rmSync(join(root, String(id)), { recursive: true, force: true });
    rmdirSync(root);
  } catch {} // there is none, or it is not empty; what stays now goes the next time
}

function makeOwnFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw failed(path, error);
  }
  const stats = lstatSync(path);
  const isOwn = process.getuid === undefined || stats.uid === process.getuid();
  if (!stats.isDirectory() || !isOwn)
    throw new RelayError("failed", `${path} is not a folder of your own`, "Move it away.");
  if (stats.mode & 0o077) chmodSync(path, 0o700);
}

/** Makes a file; `false` if there is one. */
function writeNew(path: string, content: Uint8Array, mode: number): boolean {
  let descriptor: number;
  try {
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);
    descriptor = openSync(path, flags, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw failed(path, error);
  }
  try {
    writeFileSync(descriptor, content);
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    throw failed(path, error);
  } finally {
    closeSync(descriptor);
  }
}

function holds(path: string, content: Uint8Array): boolean {
  try {
    const stats = lstatSync(path);
    return stats.isFile() && stats.size === content.length && readFileSync(path).equals(content);
  } catch {
    return false; // it is unreadable, or gone
  }
}

function failed(path: string, error: unknown): RelayError {
  return new RelayError("failed", `${path} cannot be written: ${errorMessage(error)}`);
}
