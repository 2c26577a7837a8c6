import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { archiveNames } from "./archives.ts";
import { binaryName, targets } from "./targets.ts";

/** What the install scripts of a release know of it. */
export interface Release {
  version: string;
  /** Where the assets are: the address of one is this, a slash and its name. */
  baseUrl: string;
  /** Every file that can be downloaded, with the SHA-256 of its bytes in lower-case hexadecimal. */
  assets: readonly { name: string; sha256: string }[];
}

const root = join(import.meta.dir, "..");

/** What the scripts may ask for: of each system but Windows the program itself, and what it is packed into. */
const wanted = targets.flatMap((target) => [
  ...(target.system === "windows" ? [] : [binaryName(target)]),
  ...archiveNames(target),
]);

/**
 * Writes `install.sh` and `install.ps1` of a release into `outDir`, with its version, its address and the SHA-256 of every
 * asset in them, so that whoever trusts the script can trust what it downloads. The same release gives the same bytes.
 * Answers the two paths. Throws if anything could mean something else to a shell than what it says, if an asset is there
 * twice or one that a script may ask for is missing, and if a script has lost a place to put it.
 */
export async function stampInstallers({
  outDir,
  ...release
}: Release & { outDir: string }): Promise<string[]> {
  const scripts = [
    { name: "install.sh", source: join(root, "install.sh"), stamp: stampShell },
    { name: "install.ps1", source: join(root, "build/install.ps1"), stamp: stampPowerShell },
  ];
  const checked = check(release);
  await mkdir(outDir, { recursive: true });
  return Promise.all(
    scripts.map(async ({ name, source, stamp }) => {
      const path = join(outDir, name);
      await writeFile(path, stamp(await readFile(source, "utf8"), checked));
      await chmod(path, 0o755);
      return path;
    }),
  );
}

function check({ version, baseUrl, assets }: Release): Release {
  const address = baseUrl.replace(/\/+$/, "");
  if (!/^\d+\.\d+\.\d+[\w.+-]*$/.test(version)) throw new Error(`"${version}" is not a version`);
  if (!/^https?:\/\/[\w.~:/@%+-]+$/.test(address))
    throw new Error(`"${baseUrl}" is not an address for downloads`);
  for (const { name, sha256 } of assets) {
    if (!/^[\w.+-]+$/.test(name)) throw new Error(`"${name}" is not a name for an asset`);
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`"${sha256}" is not the SHA-256 of ${name}`);
  }
  const names = new Set(assets.map(({ name }) => name));
  if (names.size !== assets.length) throw new Error("an asset is there twice");
  const missing = wanted.filter((name) => !names.has(name));
  if (missing.length > 0) throw new Error(`the install scripts may ask for ${missing.join(", ")}: missing`);
  return { version, baseUrl: address, assets };
}

function stampShell(script: string, { version, baseUrl, assets }: Release): string {
  return fill(script, {
    "release_version=''": [`release_version='${version}'`],
    "release_url=''": [`release_url='${baseUrl}'`],
    "# build/install-scripts.ts puts the assets here": assets.map(
      ({ name, sha256 }) => `${name}) echo ${sha256} ;;`,
    ),
  });
}

function stampPowerShell(script: string, { version, baseUrl, assets }: Release): string {
  return fill(script, {
    "$ReleaseVersion = ''": [`$ReleaseVersion = '${version}'`],
    "$ReleaseUrl = ''": [`$ReleaseUrl = '${baseUrl}'`],
    "# build/install-scripts.ts puts the assets here": assets.map(
      ({ name, sha256 }) => `'${name}' = '${sha256}'`,
    ),
  });
}

/** Puts lines in the place of others, as far from the margin as those were. */
function fill(script: string, places: Record<string, string[]>): string {
  const lines = script.split("\n");
  for (const place of Object.keys(places)) {
    if (lines.filter((line) => line.trim() === place).length !== 1) {
      throw new Error(`an install script must have exactly one line "${place}"`);
    }
  }
  const filled = lines.flatMap((line) => {
    const text = places[line.trim()];
    return text ? text.map((part) => line.replace(line.trim(), () => part)) : [line];
  });
  return filled.join("\n");
}
