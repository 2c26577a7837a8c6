import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { compile } from "./compile.ts";
import { signAdHoc } from "./mac-signature.ts";
import { getRuntimes } from "./runtimes.ts";
import { binaryName, type Target } from "./targets.ts";

/**
 * Compiles relay for each target into `outDir`, by the name of {@link binaryName}. Corrects the signature for macOS, which
 * ends a program with a wrong one. Throws `RuntimesUnavailable` when npm cannot get Bun's runtimes.
 */
export async function buildBinaries(targets: readonly Target[], root: string, outDir: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "relay-runtimes-"));
  try {
    const runtimes = await getRuntimes(targets, root, folder);
    for (const [target, runtime] of runtimes) {
      const outfile = join(outDir, binaryName(target));
      await compile({ entry: join(root, "src/main.ts"), outfile, cross: { target: target.bun, runtime } });
      await rm(runtime);
      // Bun signs for arm64, but leaves a wrong signature for x64 (facts.md, "Bun").
      if (target.name === "darwin-x64") await Bun.write(outfile, signAdHoc(await Bun.file(outfile).bytes(), "relay"));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Checks a target's binary with the programs `file` and `readelf`: its format, CPU and loader, and on Linux the libraries
 * and the glibc that it needs. Throws with all problems.
 */
export async function checkBinary(path: string, { format, linux }: Target): Promise<void> {
  const description = await $`file --brief ${path}`.text();
  const problems = format.test(description) ? [] : [`file calls it: ${description.trim()}`];
  if (linux && problems.length === 0) problems.push(...(await unmetNeeds(path, linux)));
  if (problems.length > 0) throw new Error(problems.join("; "));
}

async function unmetNeeds(path: string, allowed: NonNullable<Target["linux"]>): Promise<string[]> {
  const dump = await $`readelf --wide --dynamic --version-info ${path}`.text();
  const all = (pattern: RegExp) => [...new Set([...dump.matchAll(pattern)].map(([, name = ""]) => name))];
  const libraries = all(/\(NEEDED\).*\[(.+)\]/g).filter((library) => !allowed.libraries.includes(library));
  const folders = all(/\((?:RPATH|RUNPATH)\).*\[(.+)\]/g);
  const versions = all(/\bGLIBC_([\d.]+)/g).filter((version) => isNewer(version, allowed.glibc ?? "0"));
  return [
    ...libraries.map((library) => `it needs the library ${library}`),
    ...folders.map((folder) => `it looks for libraries in ${folder}`),
    ...versions.map((version) => `it needs glibc ${version}`),
  ];
}

function isNewer(version: string, limit: string): boolean {
  return version.localeCompare(limit, "en", { numeric: true }) > 0;
}
