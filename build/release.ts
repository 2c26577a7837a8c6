import { rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { archiveNames, packBinaries } from "./archives.ts";
import { readBaseUrl } from "./base-url.ts";
import { buildBinaries } from "./binaries.ts";
import { assetsIn, checksums } from "./checksums.ts";
import { homebrewFormula } from "./homebrew.ts";
import type { Publication } from "./manifests.ts";
import { scoopManifest } from "./scoop.ts";
import { binaryName, targets } from "./targets.ts";
import { tryBinary } from "./trial.ts";

const root = join(import.meta.dir, "..");
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1).padStart(6);

/** A release under way: `folder` is where its files are made before they are `dist`. */
interface Release extends Omit<Publication, "assets"> {
  folder: string;
}

interface Step {
  name: string;
  run(release: Release): Promise<void>;
}

/** Everything that is done, in this order: what a step hashes, an earlier one made. */
const steps: Step[] = [
  { name: "binaries", run: ({ folder }) => buildBinaries(targets, root, folder) },
  { name: "trials", run: tryBinaries },
  { name: "archives", run: packAll },
  { name: "relay.rb", run: (release) => write(release, "relay.rb", homebrewFormula) },
  { name: "relay.json", run: (release) => write(release, "relay.json", scoopManifest) },
  { name: "SHA256SUMS", run: (release) => write(release, "SHA256SUMS", ({ assets }) => checksums(assets)) },
];

try {
  const { values } = parseArgs({ options: { "base-url": { type: "string" } } });
  await release(values["base-url"]);
} catch (error) {
  console.error(`release: ${(error as Error).message}`);
  process.exit(1);
}

/**
 * Makes `dist` anew. An old one goes first and the new one appears whole, at the end: what is there is a release in
 * which every check passed.
 */
async function release(baseUrl: string | undefined): Promise<void> {
  const address = readBaseUrl(baseUrl);
  if (process.platform !== "linux") throw new Error("a release is built on Linux. Use one, or a container.");
  if (!Bun.which("xz"))
    throw new Error("the program xz is not there. Install it (Debian's package xz-utils).");
  const { version, description, license } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const dist = join(root, "dist");
  await rm(dist, { recursive: true, force: true });
  const scratch = join(root, "node_modules/.cache");
  await mkdir(scratch, { recursive: true });
  const folder = await mkdtemp(join(scratch, "relay-release-"));
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => {
      rmSync(folder, { recursive: true, force: true });
      process.exit(1);
    });
  const begin = performance.now();
  try {
    for (const step of steps) {
      console.log(`${seconds(begin)} ${step.name}`);
      await step.run({ version, description, license, address, folder });
    }
    await chmod(folder, 0o755);
    await rename(folder, dist);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${seconds(begin)} dist/ is relay ${version}, for ${address.baseUrl}`);
}

function seconds(begin: number): string {
  return `${Math.round((performance.now() - begin) / 1000)} s`.padStart(6);
}

async function tryBinaries({ folder, version }: Release): Promise<void> {
  for (const target of targets) {
    const name = binaryName(target);
    const trial = await tryBinary(join(folder, name), target, version).catch((error) => {
      throw new Error(`${name} does not work: ${error.message}`);
    });
    console.log(`       ${name}: ${"ran" in trial ? trial.ran : `NOT RUN, ${trial.skipped}`}`);
  }
}

async function packAll({ folder }: Release): Promise<void> {
  await packBinaries(targets, folder);
  for (const target of targets) {
    const names = [binaryName(target), ...archiveNames(target)];
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
    console.log(names.map((name, index) => `       ${megabytes(sizes[index] ?? 0)} MB ${name}`).join("\n"));
  }
}

async function write(
  release: Release,
  name: string,
  make: (publication: Publication) => string,
): Promise<void> {
  const assets = await assetsIn(release.folder);
  await Bun.write(join(release.folder, name), make({ ...release, assets }));
}
