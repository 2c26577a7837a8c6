/** The names of the system's C library, of which one is there: glibc's, musl's, macOS's. */
export const cLibraries: readonly string[] = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
  "libSystem.B.dylib",
];
