import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { run } from "./run.ts";
import { binaryName, type Target } from "./targets.ts";
import { zip } from "./zip.ts";

const xzLimitBytes = 45_000_000; // what a person waits for

/** The names of what a target's binary is packed into. */
export function archiveNames(target: Target): string[] {
  if (target.system === "windows") return [`relay-${target.name}.zip`];
  return ["xz", "gz"].map((suffix) => `${binaryName(target)}.${suffix}`);
}

/**
 * Packs the binary of each target in `folder`: as `.xz` and `.gz`, for Windows as `.zip` with a `relay.exe` in it. No
 * time or name of this machine gets in. Needs the program `xz`; throws when it fails, or an `.xz` is over 45 MB.
 */
export async function packBinaries(targets: readonly Target[], folder: string): Promise<void> {
  const waiting = [...targets];
  const work = async () => {
    for (let target = waiting.shift(); target; target = waiting.shift()) await pack(target, folder);
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, work));
}

async function pack(target: Target, folder: string): Promise<void> {
  const binary = join(folder, binaryName(target));
  const content = await Bun.file(binary).bytes();
  if (target.system === "windows") {
    await Bun.write(join(folder, `relay-${target.name}.zip`), await zip("relay.exe", content));
    return;
  }
  await Bun.write(`${binary}.gz`, await promisify(gzip)(content, { level: 9 }));
  // on one thread: how many there are would show in the file
  await run(["xz", "-9", "--keep", "--threads=1", binary], { limit: 3_600_000 });
  const { size } = Bun.file(`${binary}.xz`);
  if (size > xzLimitBytes) throw new Error(`${binary}.xz is ${size} bytes; the limit is ${xzLimitBytes}`);
}
