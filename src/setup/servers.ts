import { isRelay, type ServerEntry } from "./claude-code.ts";
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

/** The entry that replaces `existing`. Keeps a person's additions to relay's own, such as `--sound off` or variables. */
export function mergeServer(wanted: ServerEntry, existing: unknown): ServerEntry {
  if (ownerOf(existing) !== "relay") return wanted;
  const current = existing as ServerEntry;
  const env = { ...current.env, ...wanted.env };
  const args = current.args.every((arg) => typeof arg === "string") ? current.args : wanted.args;
  return { ...current, ...wanted, args, ...(Object.keys(env).length > 0 && { env }) };
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
