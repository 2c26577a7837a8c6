import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "bun";
import type { Target } from "./targets.ts";

/** npm cannot get Bun's runtimes for other systems. */
export class RuntimesUnavailable extends Error {
  override readonly name = "RuntimesUnavailable";
}

/**
 * Gets Bun's runtime for each target, with npm from its registry or cache, and unpacks it into `folder`. Answers the path
 * of each target's runtime. Throws for an archive with another hash than in package-lock.json, and
 * {@link RuntimesUnavailable} when npm cannot get one.
 */
export async function getRuntimes(
  targets: readonly Target[],
  root: string,
  folder: string,
): Promise<Map<Target, string>> {
  const hashes = lockedHashes(targets, root);
  const packages = targets.map(({ runtime }) => `${runtime}@${Bun.version}`);
  const options = ["--json", "--prefer-offline", "--ignore-scripts", "--pack-destination", folder];
  const packed = await $`npm pack ${options} ${packages}`.cwd(root).quiet().nothrow();
  if (packed.exitCode !== 0)
    throw new RuntimesUnavailable(
      `npm cannot get Bun's runtimes for other systems: ${lastLines(packed.stderr)}. Check the network, and npm's registry.`,
    );
  const archives: { name: string; filename: string }[] = packed.json();
  const unpacked = targets.map(async (target): Promise<[Target, string]> => {
    const file = archives.find(({ name }) => name === target.runtime)?.filename;
    if (!file) throw new RuntimesUnavailable(`npm packed no ${target.runtime}.`);
    checkHash(join(folder, file), target, hashes.get(target) ?? "");
    return [target, await unpack(join(folder, file), target, folder)];
  });
  return new Map(await Promise.all(unpacked));
}

/** The locked hash of each runtime. Bytecode needs the Bun that made it, so the runtimes have the version of this Bun. */
function lockedHashes(targets: readonly Target[], root: string): Map<Target, string> {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return new Map(
    targets.map((target) => {
      const { version, integrity } = lock.packages[`node_modules/${target.runtime}`] ?? {};
      if (!integrity) throw new Error(`package-lock.json has no hash for ${target.runtime}.`);
      if (version === Bun.version) return [target, integrity];
      throw new Error(`this is Bun ${Bun.version}, but package-lock.json has ${version}. Run: npm ci`);
    }),
  );
}

function checkHash(archive: string, { runtime }: Target, integrity: string): void {
  const [algorithm = "", expected] = integrity.split("-", 2);
  const found = createHash(algorithm).update(readFileSync(archive)).digest("base64");
  if (found !== expected) throw new Error(`${runtime} is not the one in package-lock.json: ${algorithm}-${found}.`);
}

async function unpack(archive: string, { name, system }: Target, folder: string): Promise<string> {
  const unpacked = join(folder, name);
  await mkdir(unpacked);
  await $`tar -xzf ${archive} -C ${unpacked}`;
  await rm(archive);
  return join(unpacked, "package/bin", system === "windows" ? "bun.exe" : "bun");
}

function lastLines(text: Buffer): string {
  return text.toString().trim().split("\n").slice(-3).join(" ") || "no output";
}
