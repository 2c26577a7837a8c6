import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { archiveNames } from "./archives.ts";
import type { Asset } from "./checksums.ts";
import { binaryName, targets } from "./targets.ts";

/** The facts of a release for its install scripts. */
export interface Release {
  version: string;
  /** From `readBaseUrl`, without characters that are special to a shell. */
  baseUrl: string;
  /** The files that can be downloaded. */
  assets: readonly Asset[];
}

const root = join(import.meta.dir, "..");

/**
 * Writes `install.sh` and `install.ps1` of a release into the folder `outDir`, with its version, its address and the SHA-256
 * of every asset, so that people who trust a script can trust its download. The same release makes the same bytes. Throws
 * for an asset that is missing but that a script may download, and for a script without a place for one of these facts.
 */
export async function stampInstallers(release: Release, outDir: string): Promise<void> {
  const names = new Set(release.assets.map(({ name }) => name));
  const missing = downloads.filter((name) => !names.has(name));
  if (missing.length > 0) throw new Error(`assets of the install scripts are missing: ${missing.join(", ")}`);
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

/** The assets that a script may download: archives, and except on Windows the program itself. */
const downloads = targets.flatMap((target) => [
  ...(target.system === "windows" ? [] : [binaryName(target)]),
  ...archiveNames(target),
]);

/** Copies a script, and replaces lines with others of the same indentation. */
async function stamp(source: string, copy: string, replacements: Record<string, string[]>): Promise<void> {
  const lines = (await readFile(source, "utf8")).split("\n");
  for (const placeholder of Object.keys(replacements)) {
    if (lines.filter((line) => line.trim() === placeholder).length !== 1)
      throw new Error(`${source} must have exactly one line "${placeholder}"`);
  }
  const stamped = lines.flatMap((line) => {
    const texts = replacements[line.trim()] ?? [line.trim()];
    return texts.map((text) => line.replace(line.trim(), () => text));
  });
  await writeFile(copy, stamped.join("\n"));
  await chmod(copy, 0o755);
}
