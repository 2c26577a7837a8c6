import { closeSync, fsyncSync, openSync, readFileSync, realpathSync } from "node:fs";

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

/** Puts the names in a folder on the disk, such as that of a file that was just renamed. Windows has no such call. */
export function syncFolder(folder: string): void {
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
