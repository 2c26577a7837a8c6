import { basename, isAbsolute, join, resolve, sep } from "node:path";
import type { NewAttachment } from "../core/attachment.ts";
import { RelayError } from "../core/errors.ts";
import { filesBytes } from "../core/limits.ts";
import { mediaTypeOf } from "../core/media-type.ts";
import { isPrivateKey, secretKind } from "../core/secret-files.ts";
import { thousands } from "../core/words.ts";
import { type DenyRule, readDenyRules } from "./deny-rules.ts";
import type { Environment } from "./environment.ts";
import { fileRefusal, readContentOf, shownPath } from "./file-content.ts";
import { realPathOrNull } from "./files.ts";
import { isWithin } from "./system.ts";

/** What a model may send. A person may send whatever they can read. */
export interface ModelRules {
  /** The folders to send from, with every link resolved. */
  folders: readonly string[];
  /** The rule by which Claude Code denies reading a path; `null` if there is none. */
  deniedBy(path: string): DenyRule | null;
  /** The buffer, with every link resolved. */
  buffer: string;
  home: string;
}

/**
 * The rules for a model that works in these folders, with the person's settings of Claude Code as they are now. Throws a
 * `failed` error without folders or a home, and for settings that nobody can read.
 */
export function modelRules(
  given: readonly string[],
  { places, bufferPath }: Pick<Environment, "places" | "bufferPath">,
): ModelRules {
  const folders = [...new Set(given.flatMap((folder) => realPathOrNull(folder) ?? []))];
  if (folders.length === 0) {
    const fix = "For Claude Desktop, the person allows one in a terminal: relay setup-desktop --allow-files DIR";
    throw new RelayError("failed", "a model may send no files here: there is no folder that it may send from", fix);
  }
  const found = places();
  const deniedBy = readDenyRules(found, [...new Set([...folders, ...given])]);
  return { folders, deniedBy, buffer: realPathOrNull(bufferPath()) ?? bufferPath(), home: found.home };
}

/**
 * Reads the files at these paths, the relative ones from the first of `bases` that has them. Without `rules` a person sends
 * them. `taken` is the size of another file of the message. Throws a `failed` error for the first file that cannot be sent, which names it and the reason.
 */
export function readFiles(
  paths: readonly string[],
  bases: readonly string[],
  rules: ModelRules | null,
  taken = 0,
): NewAttachment[] {
  let total = taken;
  return paths.map((path) => {
    const content = rules ? readForModel(path, bases, rules) : readContentOf(realPathOf(path, bases)).content;
    total += content.length;
    if (total > filesBytes) {
      const problem = `brings the files to ${thousands(total)} bytes; the limit is ${thousands(filesBytes)}`;
      throw fileRefusal(path, problem, "Send them in several messages.");
    }
    return newAttachment(basename(path), content);
  });
}

/** A file of this name to store. */
export function newAttachment(name: string, content: Uint8Array): NewAttachment {
  const sha256 = new Bun.CryptoHasher("sha256").update(content).digest("hex");
  return { name: name.toWellFormed(), type: mediaTypeOf(content, name), size: content.length, sha256, content };
}

function candidates(path: string, bases: readonly string[]): string[] {
  return isAbsolute(path) ? [resolve(path)] : bases.map((base) => resolve(base, path));
}

function realPathOf(path: string, bases: readonly string[]): string {
  const real = candidates(path, bases)
    .map(realPathOrNull)
    .find((found) => found !== null);
  if (real) return real;
  throw fileRefusal(path, "does not exist, or is not readable for you");
}

function readForModel(given: string, bases: readonly string[], rules: ModelRules): Uint8Array {
  const path = given.startsWith("~/") ? join(rules.home, given.slice(2)) : given;
  const named = candidates(path, bases);
  const spelled = named.find((candidate) => realPathOrNull(candidate) !== null) ?? named[0] ?? path;
  const real = realPathOrNull(spelled);
  // of a file outside, a model does not even learn whether it is there
  if (!rules.folders.some((folder) => isWithin(real ?? spelled, folder))) {
    const folders = rules.folders.map(shownPath).join(", ");
    throw fileRefusal(given, `is not in a folder that a model may send from (${folders})`, personsWay);
  }
  if (real === null) throw fileRefusal(given, "does not exist, or is not readable for you");
  refuseSecret(given, [spelled, real], rules);
  const { content, stats } = readContentOf(real);
  const user = process.getuid?.();
  if (user !== undefined && stats.uid !== BigInt(user)) throw fileRefusal(given, "belongs to another user", personsWay);
  // another name of it may be on the list of secret files
  if (stats.nlink > 1n) throw fileRefusal(given, "has more than one name (hard links)", "Copy it, and send the copy.");
  if (isPrivateKey(content)) throw fileRefusal(given, "is a private key, which no model sends", personsWay);
  return content;
}

const personsWay = "Nothing was sent. The person can send it in a terminal: relay send --file PATH";

function refuseSecret(given: string, paths: readonly string[], { deniedBy, buffer }: ModelRules): void {
  for (const path of paths) {
    const kind = path.startsWith(buffer) ? "relay's own" : secretKind(path.split(sep).filter(Boolean));
    if (kind) throw fileRefusal(given, `is on the list of what no model sends: it is ${kind}`, personsWay);
    const denied = deniedBy(path);
    if (denied) {
      const problem = `may not be read by a model: ${shownPath(denied.settings)} denies ${shownPath(denied.rule)}`;
      throw fileRefusal(given, problem, personsWay);
    }
  }
}
