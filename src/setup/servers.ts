import { isRelay } from "./claude-code.ts";
import type { Placement } from "./merge.ts";
import { isOriginalServer } from "./original.ts";

/** Whose an entry of `mcpServers` is. */
export type Owner = "relay" | "original" | "somebody";

/** An entry of `mcpServers` that starts relay. */
export interface ServerEntry {
  type?: "stdio";
  command: string;
  args: string[];
  env?: Record<string, string>;
}

/** Whose entry this is. Other programs are called `relay`, too; how it is started tells. */
export function ownerOf(entry: unknown): Owner {
  const { command, args = [] } = (entry ?? {}) as { command?: unknown; args?: unknown };
  if (isRelay(command) && Array.isArray(args) && startsServer(args)) return "relay";
  return isOriginalServer(entry) ? "original" : "somebody";
}

/** Whether all that an entry of relay's starts it with are texts, as every client wants it. */
export function isWellFormed({ args = [], env = {} }: Record<string, unknown>): boolean {
  return areTexts(args) && isMapping(env) && areTexts(Object.values(env));
}

function textsIn(values: unknown): Record<string, string> {
  if (typeof values !== "object" || values === null) return {};
  const texts = Object.entries(values).map(([key, value]) => [
    key,
    typeof value === "number" ? `${value}` : value,
  ]);
  return Object.fromEntries(texts.filter(([, value]) => typeof value === "string"));
}

function areTexts(values: unknown): values is string[] {
  return Array.isArray(values) && values.every((value) => typeof value === "string");
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// relay never registers itself without.
function startsServer(args: unknown[]): boolean {
  return /(?:^| )--client[ =](?:desktop|code)(?: |$)/.test(args.join(" "));
}

/**
 * The entry that is to stand where `existing` does: what a person added to relay's own stays, such as `--sound off` or
 * variables. A number becomes a text, and what no client could start it with goes.
 */
export function entryOver(wanted: ServerEntry, existing: unknown): ServerEntry {
  if (existing === undefined || ownerOf(existing) !== "relay") return wanted;
  const { args, env, ...others } = existing as Record<string, unknown>;
  const variables = { ...textsIn(env), ...wanted.env };
  return {
    ...others,
    ...wanted,
    args: Array.isArray(args) ? Object.values(textsIn(args)) : wanted.args,
    ...(Object.keys(variables).length > 0 && { env: variables }),
  };
}

/** relay's entry in a file with `mcpServers`. */
export function serverPlacement(wanted: ServerEntry): Placement {
  return {
    path: ["mcpServers", "relay"],
    kind: "property",
    value: (existing) => entryOver(wanted, existing),
    takeOut: (json, at) => (ownerOf(json.at(at)) === "relay" ? json.remove(at) : json),
  };
}
