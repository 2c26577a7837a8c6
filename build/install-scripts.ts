import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { archiveNames } from "./archives.ts";
import type { Asset } from "./checksums.ts";
import { binaryName, targets } from "./targets.ts";

/** What the install scripts of a release know of it. */
export interface Release {
  version: string;
  /** As `readBaseUrl` answers it: a shell takes each of its characters as it stands. */
  baseUrl: string;
  /** The files that can be downloaded. */
  assets: readonly Asset[];
}

const root = join(import.meta.dir, "..");

/**
 * Writes `install.sh` and `install.ps1` of a release into the folder `outDir`, with its version, its address and the SHA-256
 * of every asset in them, so that people who trust a script can trust what it downloads. The same release makes the same
 * bytes. Throws if an asset that a script may ask for is missing, or if a script has no place for one of these facts.
 */
export async function stampInstallers(release: Release, outDir: string): Promise<void> {
  const names = new Set(release.assets.map(({ name }) => name));
  const missing = downloads.filter((name) => !names.has(name));
  if (missing.length > 0) throw new Error(`the install scripts may ask for ${missing.join(", ")}: missing`);
  await stamp(join(root, "install.sh"), join(outDir, "install.sh"), {
    "release_version=''": [`release_version='${release.version}'`],
    "release_url=''": [`release_url='${release.baseUrl}'`],
    "# build/install-scripts.ts puts the assets here": release.assets.map(
      ({ name, sha256 }) => `${name}) echo ${sha256} ;;`,
    ),
  });
  await stamp(join(root, "build/install.ps1"), join(outDir, "install.ps1"), {
    "$ReleaseVersion = ''": [`$ReleaseVersion = '${release.version}'`],
    "$ReleaseUrl = ''": [`$ReleaseUrl = '${release.baseUrl}'`],
    "# build/install-scripts.ts puts the assets here": release.assets.map(
      ({ name, sha256 }) => `'${name}' = '${sha256}'`,
    ),
  });
}

/** What the scripts may ask for: archives, and except on Windows the program itself. */
const downloads = targets.flatMap((target) => [
  ...(target.system === "windows" ? [] : [binaryName(target)]),
  ...archiveNames(target),
]);

/** Copies a script, with lines in the place of others and as far from the margin as those were. */
async function stamp(source: string, copy: string, places: Record<string, string[]>): Promise<void> {
  const lines = (await readFile(source, "utf8")).split("\n");
  for (const place of Object.keys(places)) {
    if (lines.filter((line) => line.trim() === place).length !== 1)
      throw new Error(`${source} must have exactly one line "${place}"`);
  }
  const stamped = lines.flatMap((line) => {
    const texts = places[line.trim()] ?? [line.trim()];
    return texts.map((text) => line.replace(line.trim(), () => text));
  });
  await writeFile(copy, stamped.join("\n"));
  await chmod(copy, 0o755);
}
