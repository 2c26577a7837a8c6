import { readFileSync } from "node:fs";
import { join } from "node:path";
import { notesFor } from "./changelog.ts";

const root = join(import.meta.dir, "..");
const read = (name: string) => readFileSync(join(root, name), "utf8");

try {
  console.log(notesFor(read("CHANGELOG.md"), JSON.parse(read("package.json")).version));
} catch (error) {
  console.error(`release-notes: ${(error as Error).message}`);
  process.exit(1);
}
