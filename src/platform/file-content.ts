import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync, readSync, statSync } from "node:fs";
import { errorMessage, RelayError } from "../core/errors.ts";
import { makeVisible } from "../core/escape.ts";
import { fileBytes } from "../core/limits.ts";
import { thousands } from "../core/words.ts";
import { realPathOrNull } from "./files.ts";

/** A path as an error shows it: the end of a long one. */
export function shownPath(path: string): string {
  const { text } = makeVisible(path.replaceAll(/[\n\t]/g, " "));
  return text.length <= longestShown ? text : `…${text.slice(-longestShown)}`;
}

const longestShown = 200;

/** The error for a file that is not sent. */
export function fileRefusal(path: string, problem: string, fix = "Nothing was sent."): RelayError {
  return new RelayError("failed", `${shownPath(path)} ${problem}`, fix);
}

/**
 * The content of a regular file at a path that has no links, and its stats. Throws a `failed` error that names the path and
 * the reason, also for a file over 8 MB, and for one that is not all there at one moment.
 */
export function readContentOf(path: string): { content: Uint8Array; stats: BigIntStats } {
  let descriptor: number | undefined;
  try {
    refuseKind(statSync(path, { bigint: true }), path); // to open some devices does something
    descriptor = openSync(path, flags);
    const stats = fstatSync(descriptor, { bigint: true });
    refuseKind(stats, path);
    if (!isOpenedAt(descriptor, path)) throw fileRefusal(path, "was moved or replaced by a link while it was opened");
    const size = Number(stats.size);
    if (size > fileBytes) {
      const problem = `is ${thousands(size)} bytes; the limit is ${thousands(fileBytes)}`;
      throw fileRefusal(path, problem, "Send a part of it, or its path.");
    }
    const content = read(descriptor, size);
    if (content.length !== size || !isUnchanged(stats, fstatSync(descriptor, { bigint: true })))
      throw fileRefusal(path, "changed while it was read", "Send it when nothing writes it any more.");
    return { content, stats };
  } catch (error) {
    throw error instanceof RelayError ? error : fileRefusal(path, reasonOf(error));
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

// With O_NOFOLLOW the last name may be no link. macOS also has a flag for all names, which node:fs does not know (open(2),
// O_NOFOLLOW_ANY). A pipe that took the file's place meanwhile must not hold up the process.
const flags =
  constants.O_RDONLY |
  (constants.O_NONBLOCK ?? 0) |
  (process.platform === "darwin" ? 0x2000_0000 : (constants.O_NOFOLLOW ?? 0));

/**
 * Whether the open file is the one at the path, and no folder above it was exchanged for a link. Bun has no openat, so Linux
 * is asked where the file is that it opened; on Windows, where making links takes a right of its own, the path is resolved
 * again.
 */
function isOpenedAt(descriptor: number, path: string): boolean {
  if (process.platform === "linux") return readlinkSync(`/proc/self/fd/${descriptor}`) === path;
  return process.platform === "darwin" || realPathOrNull(path) === path;
}

/** At most one byte more than there should be. */
function read(descriptor: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size + 1);
  let length = 0;
  for (let taken = -1; taken !== 0 && length <= size; length += taken)
    taken = readSync(descriptor, bytes, length, bytes.length - length, null);
  return bytes.subarray(0, length);
}

function isUnchanged(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
}

function refuseKind(stats: BigIntStats, path: string): void {
  if (stats.isFile()) return;
  const kind = stats.isDirectory()
    ? "a folder"
    : stats.isFIFO()
      ? "a pipe"
      : stats.isSocket()
        ? "a socket"
        : "a device";
  throw fileRefusal(path, `is ${kind}, not a file`, "Send files by their own paths.");
}

function reasonOf(error: unknown): string {
  const reasons: Record<string, string> = {
    ENOENT: "does not exist",
    ENOTDIR: "does not exist",
    EACCES: "is not readable for you",
    EPERM: "is not readable for you",
    ELOOP: "was replaced by a link while it was opened",
    ENAMETOOLONG: "is too long a path",
  };
  return reasons[(error as NodeJS.ErrnoException).code ?? ""] ?? `cannot be read: ${errorMessage(error)}`;
}
