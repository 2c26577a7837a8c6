import { isRelay, type ServerEntry } from "./claude-code.ts";
import type { Entry } from "./merge.ts";
import { isOriginalServer } from "./original.ts";

/** Whose an entry of `mcpServers` is. */
export type Owner = "relay" | "original" | "other";

/** Whose this entry is. Other programs are called `relay`, too; the arguments tell. */
export function ownerOf(entry: unknown): Owner {
  const { command, args } = (entry ?? {}) as { command?: unknown; args?: unknown };
  const words = Array.isArray(args) ? args.filter((arg) => typeof arg === "string").join(" ") : "";
  if (isRelay(command) && /(?:^| )--client[ =](?:desktop|code)(?: |$)/.test(words)) return "relay";
  return isOriginalServer(entry) ? "original" : "other";
}

/**
 * The entry to put where `existing` is. What a person added to relay's own stays, such as `--sound off` or variables.
 */
export function mergeServer(wanted: ServerEntry, existing: unknown): ServerEntry {
  if (ownerOf(existing) !== "relay") return wanted;
  const own = existing as ServerEntry;
  const env = { ...own.env, ...wanted.env };
  const args = own.args.every((arg) => typeof arg === "string") ? own.args : wanted.args;
  return { ...own, ...wanted, args, ...(Object.keys(env).length > 0 && { env }) };
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
