import { fstatSync } from "node:fs";

/** The names of the C library on Linux: glibc's and musl's. A system has one of them. */
const cLibraries: readonly string[] = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
];

// <asm-generic/socket.h>: the same on every CPU that relay is built for.
const solSocket = 1;
const soPeerCred = 17;
const ucredBytes = 12; // pid, uid, gid

/**
 * Whether the process `pid` itself started this one, with a standard input that it made. The parent's number proves
 * nothing: a program that a shell `exec`s has the shell's parent. Always true on Windows, where this was never tried.
 */
export async function isSpawnedBy(pid: number): Promise<boolean> {
  if (process.platform === "win32") return true;
  return process.ppid === pid && isSocket(0) && (await madeStreams(pid, 0));
}

/**
 * Whether the process `pid` made these descriptors of this one; true where the system does not tell. libuv and Bun give a
 * child pairs of sockets, and Linux records the process that made them (`SO_PEERCRED`, unix(7)).
 */
export async function madeStreams(pid: number, ...descriptors: number[]): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const { dlopen, ptr } = await import("bun:ffi");
  const types = { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" } as const;
  for (const library of cLibraries) {
    try {
      const { getsockopt } = dlopen(library, { getsockopt: types }).symbols;
      return descriptors.every((descriptor) => {
        const credentials = new Int32Array(ucredBytes / Int32Array.BYTES_PER_ELEMENT);
        const length = new Int32Array([ucredBytes]);
        return (
          getsockopt(descriptor, solSocket, soPeerCred, ptr(credentials), ptr(length)) === 0 && credentials[0] === pid
        );
      });
    } catch {} // the system has another C library
  }
  return false;
}

function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch {
    return false;
  }
}
