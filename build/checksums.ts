import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** A file of a release: its path in the folder, with `/`, and the SHA-256 of its bytes in hexadecimal. */
export interface Asset {
  name: string;
  sha256: string;
}

/** Every file in `folder` and below, in the order of their names. */
export async function assetsIn(folder: string): Promise<Asset[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll("\\", "/"),
    )
    .sort();
  return Promise.all(names.map(async (name) => ({ name, sha256: await sha256Of(join(folder, name)) })));
}

/** The input of `sha256sum --check`. */
export function checksums(assets: readonly Asset[]): string {
  return assets.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("");
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
