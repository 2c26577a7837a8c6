import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "./targets.ts";

/** What to put before a binary to run it here, and which variables that needs. */
export interface Emulator {
  name: string;
  argv: string[];
  env: Record<string, string>;
}

// Debian's libc6-arm64-cross
const arm64Libraries = "/usr/aarch64-linux-gnu";

/** How the binary of a target runs on this machine; a sentence with what is missing if it cannot. */
export function emulatorFor(target: Target, binary: string): Emulator | string {
  if (target.system === "windows") return windowsEmulator(target);
  if (target.system !== process.platform) return "needs macOS";
  if (target.cpu !== process.arch) return otherCpu(target);
  if (target.loader?.includes("musl") && !hasLibraries(target.loader, binary))
    return "needs musl with a libstdc++ of its own";
  return { name: "this machine", argv: [], env: {} };
}

function windowsEmulator({ cpu }: Target): Emulator | string {
  if (cpu === "arm64") return "needs Windows on Arm";
  return Bun.which("wine") ? { name: "wine", argv: ["wine"], env: { WINEDEBUG: "-all" } } : "needs wine";
}

function otherCpu({ cpu, loader }: Target): Emulator | string {
  if (cpu !== "arm64") return "needs an x64 CPU";
  const qemu = Bun.which("qemu-aarch64-static") ?? Bun.which("qemu-aarch64");
  if (!qemu) return "needs qemu-user-static";
  if (!loader || !existsSync(join(arm64Libraries, loader))) return "needs this loader for qemu";
  return { name: "qemu", argv: [qemu], env: { QEMU_LD_PREFIX: arm64Libraries } };
}

function hasLibraries(loader: string, binary: string): boolean {
  return existsSync(loader) && Bun.spawnSync([loader, "--list", binary]).exitCode === 0;
}
