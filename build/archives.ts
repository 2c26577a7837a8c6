import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { $ } from "bun";
import { binaryName, type Target } from "./targets.ts";
import { zip } from "./zip.ts";

const xzLimitBytes = 45_000_000; // a person waits for the download

/** The names of the archives that hold a target's binary. */
export function archiveNames(target: Target): string[] {
  if (target.system === "windows") return [`relay-${target.name}.zip`];
  return ["xz", "gz"].map((suffix) => `${binaryName(target)}.${suffix}`);
}

/**
 * Packs the binary of each target in `folder`: as `.xz` and `.gz`, for Windows as a `.zip` of `relay.exe`. The same binaries
 * make the same bytes. Needs the program `xz`; throws when it fails, or when an `.xz` is over 45 MB.
 */
export async function packBinaries(targets: readonly Target[], folder: string): Promise<void> {
  for (const target of targets) {
    const binary = join(folder, binaryName(target));
    const data = await Bun.file(binary).bytes();
    if (target.system === "windows") {
      await Bun.write(join(folder, `relay-${target.name}.zip`), zip([{ path: "relay.exe", data, mode: 0o755 }]));
      continue;
    }
    await Bun.write(`${binary}.gz`, await promisify(gzip)(data, { level: 9 }));
    // In blocks, so that install.sh can unpack it on all processors. The bytes are the same for any number of threads
    // above one.
    await $`xz -9 --keep --threads=2 --block-size=16MiB ${binary}`;
    const { size } = Bun.file(`${binary}.xz`);
    if (size > xzLimitBytes) throw new Error(`${binary}.xz is ${size} bytes; the limit is ${xzLimitBytes}`);
  }
}
