import { isShared, withoutShared, wslEnv } from "../platform/wslenv.ts";
import { hookEntries, hookProgram, isSlot, sandboxExclusion, statusLine } from "./claude-code.ts";
import { objectIn } from "./json-file.ts";
import type { JsonText, Path } from "./json-text.ts";
import type { Entry, JsonChange } from "./merge.ts";
import { isOriginalHook } from "./original.ts";
import type { Placed } from "./record.ts";
import type { Launch } from "./setup-context.ts";

/**
 * relay's entries in Claude Code's settings, given the settings and the values that setup put there before. Every process
 * of Claude Code gets the variables of `launch`.
 */
export function settingsEntries(
  { program, env, rules }: Launch,
  { isWindows, statusline }: { isWindows: boolean; statusline: boolean },
  settings: JsonText,
  placed: readonly Placed[],
): Entry[] {
  const hooks = hookEntries(program, isWindows);
  const line = settings.at(["statusLine"]);
  const isRelaysLine = placed.some(
    ({ path, value }) => path[0] === "statusLine" && Bun.deepEquals(value, line, true),
  );
  const entries = [
    hook("UserPromptExpansion", hooks.UserPromptExpansion),
    { ...hook("SessionStart", hooks.SessionStart), removeOriginal: removeHooks(isOriginalHook) },
    ...rules.allow.map((rule) => element(["permissions", "allow"], rule)),
    ...rules.deny.map((rule) => element(["permissions", "deny"], rule)),
  ];
  if (settings.at(["sandbox", "enabled"]) === true) entries.push(exclusion(sandboxExclusion(program)));
  if (isRelaysLine || (statusline && line === undefined))
    entries.push(property(["statusLine"], statusLine(program)));
  return [...entries, ...Object.entries(env).map(([name, value]) => variable(name, value))];
}

/** The entries of relay's in Claude Code's settings that show whose they are, whatever program they name. */
export function settingsRemovals(): Entry[] {
  return [
    hook("UserPromptExpansion", null),
    hook("SessionStart", null),
    exclusion(null),
    variable("WSLENV", ""),
  ];
}

function element(path: string[], value: unknown): Entry {
  return { path, kind: "element", value: () => value };
}

function property(path: string[], value: unknown): Entry {
  return { path, kind: "property", value: () => value };
}

function hook(event: string, entry: unknown): Entry {
  return {
    ...element(["hooks", event], entry),
    remove: removeHooks(isRelayHook),
    update: (json, at) => updateHooks(json, at, objectIn(hooksIn(entry)[0])),
  };
}

// The program changes, and not the timeout or the matcher, which a person may have set.
function updateHooks(json: JsonText, at: Path, { command, args }: Record<string, unknown>): JsonText {
  return hooksIn(json.at(at)).reduce<JsonText>((left, each, index) => {
    const found = objectIn(each);
    const isSame = found.command === command && Bun.deepEquals(found.args, args, true);
    if (!isRelayHook(each) || isSame) return left;
    const place = [...at, "hooks", index];
    return left.set([...place, "command"], command).set([...place, "args"], args);
  }, json);
}

/** Removes hooks from an entry of a hook event, and the entry if none is left. */
function removeHooks(isGone: (each: unknown) => boolean): JsonChange {
  return (json, at) => {
    const hooks = hooksIn(json.at(at));
    if (hooks.length > 0 && hooks.every(isGone)) return json.remove(at);
    return hooks.reduceRight<JsonText>(
      (left, each, index) => (isGone(each) ? left.remove([...at, "hooks", index]) : left),
      json,
    );
  };
}

function hooksIn(entry: unknown): unknown[] {
  const { hooks } = objectIn(entry);
  return Array.isArray(hooks) ? hooks : [];
}

function isRelayHook(each: unknown): boolean {
  return hookProgram(each) !== null;
}

function exclusion(command: string | null): Entry {
  return {
    ...element(["sandbox", "excludedCommands"], command),
    remove: (json, at) => (isSlot(json.at(at)) ? json.remove(at) : json),
  };
}

// WSLENV is a list, a part of which may be the person's.
function variable(name: string, value: string): Entry {
  const entry = property(["env", name], value);
  if (name !== "WSLENV") return entry;
  return {
    ...entry,
    value: (existing) =>
      typeof existing !== "string" ? value : isShared(existing) ? existing : wslEnv(existing),
    remove(json, at) {
      const found = json.at(at);
      const left = typeof found === "string" ? withoutShared(found) : found;
      return left === found ? json : left === "" ? json.remove(at) : json.set(at, left);
    },
  };
}
