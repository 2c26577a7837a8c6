import { closeSync, fsyncSync, openSync, readFileSync, realpathSync, statSync } from "node:fs";

/** The path with every link followed; `null` if nothing is there. */
export function realPathOrNull(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/** The text of a file; `null` if there is none, or it cannot be read. */
export function readTextOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** Whether the path leads to a file. */
export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Writes the names in a folder, such as a renamed file's, to the disk. Windows has no such call. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } catch {
    // some file systems cannot sync a folder
  } finally {
    closeSync(descriptor);
  }
}
