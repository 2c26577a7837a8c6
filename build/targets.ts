/** A system and CPU that relay is built for, and what its binary has to be. */
export interface Target {
  /** As in the names of the assets: `relay-linux-x64`. */
  name: string;
  system: "linux" | "darwin" | "windows";
  cpu: "x64" | "arm64";
  /** What Bun calls the target (`bun build --compile --target`). */
  bun: Bun.Build.CompileTarget;
  /** The npm package with its runtime, a dependency of the package `bun`. */
  runtime: string;
  format: "ELF" | "Mach-O" | "PE";
  /** The program that the system loads it with; `null` on Windows, where it is the kernel. */
  loader: string | null;
  /** Each library that it may need of the system, in lower case on Windows. */
  libraries: readonly string[];
  /** The oldest system that it runs on: a version of macOS or glibc; `null` where the file does not say. */
  oldest: string | null;
}

const glibc = { format: "ELF", oldest: "2.17" } as const;
const glibcLibraries = ["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6"];
const musl = { format: "ELF", oldest: null } as const;

const darwin = {
  format: "Mach-O",
  loader: "/usr/lib/dyld",
  libraries: ["libSystem.B", "libc++.1", "libicucore.A", "libresolv.9"].map(
    (name) => `/usr/lib/${name}.dylib`,
  ),
  oldest: "13.0",
} as const;

const windowsLibraries = [
  ...[
    "ntdll",
    "kernel32",
    "api-ms-win-core-synch-l1-2-0",
    "bcryptprimitives",
    "wsock32",
    "crypt32",
    "ws2_32",
  ],
  ...["dbghelp", "userenv", "user32", "advapi32", "ole32", "shell32", "oleaut32", "iphlpapi"],
];

const windows = {
  format: "PE",
  loader: null,
  libraries: windowsLibraries.map((name) => `${name}.dll`),
  oldest: null,
} as const;

/** What the target's binary is called among the assets of a release. */
export function binaryName({ name, system }: Target): string {
  return `relay-${name}${system === "windows" ? ".exe" : ""}`;
}

/** The eight. */
export const targets: readonly Target[] = [
  {
    name: "linux-x64",
    system: "linux",
    cpu: "x64",
    bun: "bun-linux-x64",
    runtime: "@oven/bun-linux-x64",
    ...glibc,
    loader: "/lib64/ld-linux-x86-64.so.2",
    libraries: [...glibcLibraries, "ld-linux-x86-64.so.2"],
  },
  {
    name: "linux-arm64",
    system: "linux",
    cpu: "arm64",
    bun: "bun-linux-arm64",
    runtime: "@oven/bun-linux-aarch64",
    ...glibc,
    loader: "/lib/ld-linux-aarch64.so.1",
    libraries: [...glibcLibraries, "ld-linux-aarch64.so.1"],
  },
  {
    name: "linux-x64-musl",
    system: "linux",
    cpu: "x64",
    bun: "bun-linux-x64-musl",
    runtime: "@oven/bun-linux-x64-musl",
    ...musl,
    loader: "/lib/ld-musl-x86_64.so.1",
    libraries: ["libc.musl-x86_64.so.1", "libstdc++.so.6"],
  },
  {
    name: "linux-arm64-musl",
    system: "linux",
    cpu: "arm64",
    bun: "bun-linux-arm64-musl",
    runtime: "@oven/bun-linux-aarch64-musl",
    ...musl,
    loader: "/lib/ld-musl-aarch64.so.1",
    libraries: ["libc.musl-aarch64.so.1", "libstdc++.so.6"],
  },
  {
    name: "darwin-arm64",
    system: "darwin",
    cpu: "arm64",
    bun: "bun-darwin-arm64",
    runtime: "@oven/bun-darwin-aarch64",
    ...darwin,
  },
  {
    name: "darwin-x64",
    system: "darwin",
    cpu: "x64",
    bun: "bun-darwin-x64",
    runtime: "@oven/bun-darwin-x64",
    ...darwin,
  },
  {
    name: "windows-x64",
    system: "windows",
    cpu: "x64",
    bun: "bun-windows-x64",
    runtime: "@oven/bun-windows-x64",
    ...windows,
  },
  {
    name: "windows-arm64",
    system: "windows",
    cpu: "arm64",
    bun: "bun-windows-arm64",
    runtime: "@oven/bun-windows-aarch64",
    ...windows,
  },
];
