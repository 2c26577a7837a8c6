import { rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { $ } from "bun";
import { archiveNames, packBinaries } from "./archives.ts";
import { type Address, readBaseUrl } from "./base-url.ts";
import { buildBinaries, checkBinary } from "./binaries.ts";
import { packBundles } from "./bundle.ts";
import { assetsIn, checksums } from "./checksums.ts";
import { stampInstallers } from "./install-scripts.ts";
import { homebrewFormula, type Publication, registryEntry, scoopManifest } from "./package-managers.ts";
import { packPlugin } from "./plugin.ts";
import { binaryName, targets } from "./targets.ts";
import { tryBinary } from "./trial.ts";

const root = join(import.meta.dir, "..");
const packages: Record<string, string> = { xz: "xz-utils", file: "file", readelf: "binutils" };

try {
  const { values } = parseArgs({ options: { "base-url": { type: "string" } } });
  await release(readBaseUrl(values["base-url"]));
} catch (error) {
  console.error(`release: ${reasonOf(error)}`);
  process.exit(1);
}

/** Makes `dist`: removes the old one, and moves the new one there whole after every check has passed. */
async function release(address: Address): Promise<void> {
  if (process.platform !== "linux")
    throw new Error("a release is built on Linux. Use a Linux machine, or a container.");
  for (const [program, name] of Object.entries(packages)) {
    if (!Bun.which(program))
      throw new Error(`the program ${program} is missing. Install it (Debian's package ${name}).`);
  }
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
  try {
    await fill(folder, { version, description, license, address });
    await chmod(folder, 0o755);
    await rename(folder, dist);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  report(`dist/ is relay ${version}, for ${address.baseUrl}`);
}

/** Makes every file of a release in `folder`. A step that hashes files comes after the steps that make them. */
async function fill(folder: string, publication: Omit<Publication, "assets">): Promise<void> {
  const { version, address } = publication;
  const { baseUrl } = address;
  report("binaries");
  await buildBinaries(targets, root, folder);
  report("checks and trials");
  await checkBinaries(folder, version);
  report("archives");
  await packBinaries(targets, folder);
  await reportSizes(folder);
  report("bundles, plugin, install scripts, manifests, checksums");
  await packBundles(version, folder, folder);
  packPlugin(version, baseUrl, folder);
  const assets = await assetsIn(folder);
  await stampInstallers({ version, baseUrl, assets }, folder);
  const made = { ...publication, assets };
  await Bun.write(join(folder, "server.json"), registryEntry(made));
  await Bun.write(join(folder, "relay.rb"), homebrewFormula(made));
  await Bun.write(join(folder, "relay.json"), scoopManifest(made));
  await Bun.write(join(folder, "SHA256SUMS"), checksums(await assetsIn(folder)));
}

async function checkBinaries(folder: string, version: string): Promise<void> {
  for (const target of targets) {
    const name = binaryName(target);
    try {
      await checkBinary(join(folder, name), target);
      const trial = await tryBinary(join(folder, name), target, version);
      report(`  ${name}: ${"ran" in trial ? `runs ${trial.ran}` : `NOT RUN, ${trial.skipped}`}`);
    } catch (error) {
      throw new Error(`${name} is wrong: ${reasonOf(error)}`);
    }
  }
}

async function reportSizes(folder: string): Promise<void> {
  for (const name of targets.flatMap((target) => [binaryName(target), ...archiveNames(target)])) {
    const { size } = await stat(join(folder, name));
    report(`  ${(size / 1e6).toFixed(1).padStart(6)} MB ${name}`);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof $.ShellError)) return (error as Error).message;
  return error.stderr.toString().trim() || `a program ended with ${error.exitCode}`;
}

/** Prints a line after the seconds that have passed. */
function report(line: string): void {
  console.log(`${Math.round(performance.now() / 1000)} s`.padStart(6), line);
}
