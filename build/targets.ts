/** A system and CPU that relay is built for. */
export interface Target {
  /** The name in the assets: `linux-x64-musl`. */
  name: string;
  system: "linux" | "darwin" | "windows";
  cpu: "x64" | "arm64";
  /** Bun's name for it (`bun build --compile --target`). */
  bun: Bun.Build.CompileTarget;
  /** The npm package with its runtime, a dependency of the package `bun`. */
  runtime: string;
  /** The description of its binary by `file`. */
  format: RegExp;
  /** On Linux: the program that loads the binary, the libraries that it may need, and the newest glibc. */
  linux?: { loader: string; libraries: readonly string[]; glibc?: string };
}

const glibcLibraries = ["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6"];

/** All targets. */
export const targets: readonly Target[] = [
  ...(["x64", "arm64"] as const).flatMap((cpu) => [glibc(cpu), musl(cpu)]),
  target("darwin", "x64", "darwin-x64", /^Mach-O 64-bit x86_64 executable/),
  target("darwin", "arm64", "darwin-arm64", /^Mach-O 64-bit arm64 executable/),
  target("windows", "x64", "windows-x64", /^PE32\+ executable \(console\) x86-64/),
  target("windows", "arm64", "windows-arm64", /^PE32\+ executable \(console\) Aarch64/),
];

/** The name of the target's binary among the assets of a release. */
export function binaryName({ name, system }: Target): string {
  return `relay-${name}${system === "windows" ? ".exe" : ""}`;
}

function target(system: Target["system"], cpu: Target["cpu"], name: string, format: RegExp): Target {
  const bun = `bun-${name}` as Bun.Build.CompileTarget;
  return { name, system, cpu, bun, runtime: `@oven/bun-${name.replace("arm64", "aarch64")}`, format };
}

function glibc(cpu: Target["cpu"]): Target {
  const loader = cpu === "x64" ? "ld-linux-x86-64.so.2" : "ld-linux-aarch64.so.1";
  const folder = cpu === "x64" ? "/lib64" : "/lib";
  const libraries = [...glibcLibraries, loader];
  return elf(cpu, `linux-${cpu}`, { loader: `${folder}/${loader}`, libraries, glibc: "2.17" });
}

function musl(cpu: Target["cpu"]): Target {
  const machine = cpu === "x64" ? "x86_64" : "aarch64";
  const libraries = [`libc.musl-${machine}.so.1`, "libstdc++.so.6"];
  return elf(cpu, `linux-${cpu}-musl`, { loader: `/lib/ld-musl-${machine}.so.1`, libraries });
}

function elf(cpu: Target["cpu"], name: string, linux: NonNullable<Target["linux"]>): Target {
  const machine = cpu === "x64" ? "x86-64" : "ARM aarch64";
  const format = new RegExp(`^ELF 64-bit LSB (pie )?executable, ${machine}, .* interpreter ${linux.loader},`);
  return { ...target("linux", cpu, name, format), linux };
}
