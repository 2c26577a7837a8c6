import { filesFlag, isRelay, type ServerEntry } from "./claude-code.ts";
import type { Entry } from "./merge.ts";
import { isOriginalServer } from "./original.ts";

/** The owner of an entry of `mcpServers`. */
export type Owner = "relay" | "original" | "other";

/** The owner of this entry. Other programs are called `relay`, too, so the arguments decide. */
export function ownerOf(entry: unknown): Owner {
  const { command, args } = (entry ?? {}) as { command?: unknown; args?: unknown };
  const words = Array.isArray(args) ? args.filter((arg) => typeof arg === "string").join(" ") : "";
  if (isRelay(command) && /(?:^| )--client[ =](?:desktop|code)(?: |$)/.test(words)) return "relay";
  return isOriginalServer(entry) ? "original" : "other";
}

/** The buffer that an entry names, by the flag or in the way of earlier versions of relay; `null` if it names none. */
export function bufferOf(entry: unknown): string | null {
  const { args, env } = (entry ?? {}) as { args?: unknown; env?: { RELAY_DB?: unknown } };
  const flag = Array.isArray(args) ? args[args.indexOf("--db") + 1] : undefined;
  const path = Array.isArray(args) && args.includes("--db") ? flag : env?.RELAY_DB;
  return typeof path === "string" && path !== "" ? path : null;
}

/** The arguments of a server without a flag and its values. */
export function withoutFlag(args: readonly string[], flag: string): string[] {
  return args.filter((arg, index) => arg !== flag && !arg.startsWith(`${flag}=`) && args[index - 1] !== flag);
}

/** What the person said of the files of an entry: folders, or `off`; nothing if they were not asked. */
export function allowedIn(entry: unknown): string[] {
  const { args } = (entry ?? {}) as { args?: unknown };
  return Array.isArray(args) ? args.filter((_, index) => args[index - 1] === filesFlag) : [];
}

/**
 * The entry that replaces `existing`. Keeps a person's additions to relay's own, such as `--sound off` or variables, but
 * not another buffer, nor other values of the flags that are wanted.
 */
export function mergeServer(wanted: ServerEntry, existing: unknown): ServerEntry {
  if (ownerOf(existing) !== "relay") return wanted;
  const current = existing as ServerEntry;
  const { RELAY_DB: _, ...others } = current.env ?? {};
  const env = { ...others, ...wanted.env };
  const isValid = current.args.every((arg) => typeof arg === "string");
  const [, , ...flags] = wanted.args;
  const names = ["--db", ...flags.filter((flag) => flag.startsWith("--"))];
  const args = isValid ? [...names.reduce(withoutFlag, current.args), ...flags] : wanted.args;
  const { env: _env, ...entry } = { ...current, ...wanted, args };
  return Object.keys(env).length > 0 ? { ...entry, env } : entry;
}

/** relay's entry in a file with `mcpServers`. */
export function serverIn(wanted: ServerEntry): Entry {
  return {
    path: ["mcpServers", "relay"],
    kind: "property",
    value: (existing) => mergeServer(wanted, existing),
    remove: (json, at) => (ownerOf(json.at(at)) === "relay" ? json.remove(at) : json),
  };
}
