import { readFileSync } from "node:fs";

/** What is in a file; `null` if there is none, or it cannot be read. */
export function contentOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
