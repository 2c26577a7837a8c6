import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.ts";
import type { Target } from "./targets.ts";

/** The runtimes of other systems are not in `node_modules`, and the package registry did not give them. */
export class RuntimesUnavailable extends Error {
  override readonly name = "RuntimesUnavailable";
}

interface LockedPackage {
  version?: string;
  integrity?: string;
}

/**
 * Gets Bun's runtime for each target from the package registry that npm is set up with (or from npm's cache), and puts
 * it into `folder`. Nothing is used whose hash is not the one in package-lock.json. Answers the file of each target's
 * name. Throws `RuntimesUnavailable` when npm cannot get them.
 */
export async function getRuntimes(
  targets: readonly Target[],
  root: string,
  folder: string,
): Promise<Map<string, string>> {
  const locked = readLock(root);
  const packages = targets.map((target) => ({ target, ...lockedRuntime(locked, target) }));
  const specifiers = packages.map(({ target, version }) => `${target.runtime}@${version}`);
  await mkdir(folder, { recursive: true });
  const argv = [
    "npm",
    "pack",
    "--json",
    "--prefer-offline",
    "--ignore-scripts",
    "--pack-destination",
    folder,
  ];
  const packed = await run([...argv, ...specifiers], { cwd: root }).catch((error) => {
    const why = `Bun's runtimes for other systems cannot be had: ${error.message}.`;
    throw new RuntimesUnavailable(`${why} Check the network, and npm's registry.`);
  });
  const archives = JSON.parse(packed.stdout) as { name: string; filename: string }[];
  const runtimes = new Map<string, string>();
  for (const { target, integrity } of packages) {
    const file = archives.find(({ name }) => name === target.runtime)?.filename;
    if (!file) throw new RuntimesUnavailable(`npm packed no ${target.runtime}.`);
    runtimes.set(target.name, await unpack(join(folder, file), integrity, target, folder));
  }
  return runtimes;
}

function readLock(root: string): Record<string, LockedPackage> {
  return JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
}

/** Bytecode only suits the very version that made it. */
function lockedRuntime(locked: Record<string, LockedPackage>, { runtime }: Target) {
  const { version, integrity } = locked[`node_modules/${runtime}`] ?? {};
  if (!version || !integrity) throw new Error(`package-lock.json has no hash for ${runtime}.`);
  if (version === Bun.version) return { version, integrity };
  throw new Error(`this is Bun ${Bun.version}, but package-lock.json has ${version}. Run: npm ci`);
}

async function unpack(archive: string, integrity: string, target: Target, folder: string): Promise<string> {
  const [algorithm = "", expected] = integrity.split("-", 2);
  const actual = createHash(algorithm).update(readFileSync(archive)).digest("base64");
  if (actual !== expected)
    throw new Error(`${target.runtime} is not what package-lock.json says: ${algorithm}-${actual}.`);
  const place = join(folder, target.name);
  await mkdir(place, { recursive: true });
  await run(["tar", "-xzf", archive, "-C", place]);
  await rm(archive);
  return join(place, "package/bin", target.system === "windows" ? "bun.exe" : "bun");
}
