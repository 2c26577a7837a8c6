import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkBinary } from "./check-binary.ts";
import { signAdHoc } from "./code-signature.ts";
import { compile } from "./compile.ts";
import { getRuntimes } from "./runtimes.ts";
import { binaryName, type Target } from "./targets.ts";

/**
 * Compiles relay for each target into `outDir`, as `binaryName` says, and checks every one. Throws when one is not what
 * it should be, or the runtimes cannot be had (`RuntimesUnavailable`).
 */
export async function buildBinaries(targets: readonly Target[], root: string, outDir: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "relay-runtimes-"));
  try {
    const runtimes = await getRuntimes(targets, root, folder);
    for (const target of targets) {
      const runtime = runtimes.get(target.name) ?? "";
      await buildBinary(target, runtime, join(root, "src/main.ts"), join(outDir, binaryName(target)));
      await rm(runtime);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function buildBinary(target: Target, runtime: string, entry: string, outfile: string): Promise<void> {
  await compile({ entry, outfile, cross: { target: target.bun, runtime } });
  if (target.name === "darwin-x64") await signAgain(outfile);
  try {
    checkBinary(await Bun.file(outfile).bytes(), target);
  } catch (error) {
    throw new Error(`${binaryName(target)} is wrong: ${(error as Error).message}`);
  }
}

// Bun leaves its own signature in there, which no longer fits (facts.md, "Bun"); for arm64 it makes a new one.
async function signAgain(path: string): Promise<void> {
  await Bun.write(path, signAdHoc(await Bun.file(path).bytes(), "relay"));
}
