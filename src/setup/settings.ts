import { isShared, withoutShared, wslEnv } from "../platform/wslenv.ts";
import { isSlot, sandboxExclusion } from "./claude-code.ts";
import { earlierMatcher, hookEntries, matcher, parseHook } from "./hook-entries.ts";
import { objectIn } from "./json-file.ts";
import type { JsonText, Path } from "./json-text.ts";
import type { Entry, JsonChange } from "./merge.ts";
import { isOriginalHook } from "./original.ts";
import type { Placed } from "./record.ts";
import type { Launch } from "./setup-context.ts";
import { lineRemoval } from "./status-line.ts";

/** Options of {@link settingsEntries}. */
export interface SettingsOptions {
  isWindows: boolean;
  /** Switches Claude Code's sandbox on. */
  sandbox: boolean;
}

/**
 * relay's entries in Claude Code's settings, without the status line, given the settings and the values that setup put
 * there before. The variables of `launch` go to every process of Claude Code.
 */
export function settingsEntries(
  { program, buffer, env, rules }: Launch,
  { isWindows, sandbox }: SettingsOptions,
  settings: JsonText,
  placed: readonly Placed[],
): Entry[] {
  const hooks = hookEntries(program, isWindows, buffer);
  const entries = [
    hook("UserPromptExpansion", hooks.UserPromptExpansion),
    { ...hook("SessionStart", hooks.SessionStart), removeOriginal: removeHooks(isOriginalHook) },
    ...rules.allow.map((rule) => element(["permissions", "allow"], rule)),
    ...rules.deny.map((rule) => element(["permissions", "deny"], rule)),
  ];
  const isSandboxed = sandbox || settings.at(["sandbox", "enabled"]) === true;
  if (sandbox || (isSandboxed && placed.some(({ path }) => path[0] === "sandbox"))) entries.push(...sandboxSwitches);
  if (isSandboxed) entries.push(exclusion(sandboxExclusion(program, buffer)));
  return [...entries, ...Object.entries(env).map(([name, value]) => variable(name, value))];
}

/** The entries in Claude Code's settings that are recognizably relay's, for any program. */
export function settingsRemovals(): Entry[] {
  const hooks = [hook("UserPromptExpansion", null), hook("SessionStart", null)];
  return [...hooks, exclusion(null), variable("WSLENV", ""), lineRemoval];
}

function element(path: string[], value: unknown): Entry {
  return { path, kind: "element", value: () => value };
}

function property(path: string[], value: unknown): Entry {
  return { path, kind: "property", value: () => value };
}

// Without the second one, a sandbox that cannot start is silently off (seen, 2.1.330).
const sandboxSwitches = [property(["sandbox", "enabled"], true), property(["sandbox", "failIfUnavailable"], true)];

function hook(event: string, entry: unknown): Entry {
  return {
    ...element(["hooks", event], entry),
    remove: removeHooks(isRelayHook),
    update: (json, at) => updateHooks(updateMatcher(json, at), at, objectIn(hooksIn(entry)[0])),
  };
}

function updateMatcher(json: JsonText, at: Path): JsonText {
  const path = [...at, "matcher"];
  return json.at(path) === earlierMatcher ? json.set(path, matcher) : json;
}

// A person may have set the timeout and the matcher.
function updateHooks(json: JsonText, at: Path, { command, args }: Record<string, unknown>): JsonText {
  return hooksIn(json.at(at)).reduce<JsonText>((updated, existing, index) => {
    const current = objectIn(existing);
    const isSame = current.command === command && Bun.deepEquals(current.args, args, true);
    if (!isRelayHook(existing) || isSame) return updated;
    const path = [...at, "hooks", index];
    const changed = updated.set([...path, "command"], command);
    if (args !== undefined) return changed.set([...path, "args"], args);
    return current.args === undefined ? changed : changed.remove([...path, "args"]);
  }, json);
}

/** Removes hooks from an entry of a hook event, and the entry if no other hook is in it. */
function removeHooks(isRemoved: (hook: unknown) => boolean): JsonChange {
  return (json, at) => {
    const hooks = hooksIn(json.at(at));
    if (hooks.length > 0 && hooks.every(isRemoved)) return json.remove(at);
    return hooks.reduceRight<JsonText>(
      (rest, hook, index) => (isRemoved(hook) ? rest.remove([...at, "hooks", index]) : rest),
      json,
    );
  };
}

function hooksIn(entry: unknown): unknown[] {
  const { hooks } = objectIn(entry);
  return Array.isArray(hooks) ? hooks : [];
}

function isRelayHook(hook: unknown): boolean {
  return parseHook(hook) !== null;
}

function exclusion(command: string | null): Entry {
  return {
    ...element(["sandbox", "excludedCommands"], command),
    remove: (json, at) => (isSlot(json.at(at)) ? json.remove(at) : json),
  };
}

// WSLENV is a list, and may have names of the person's.
function variable(name: string, value: string): Entry {
  const entry = property(["env", name], value);
  if (name !== "WSLENV") return entry;
  return {
    ...entry,
    value: (existing) => (typeof existing !== "string" ? value : isShared(existing) ? existing : wslEnv(existing)),
    remove(json, at) {
      const current = json.at(at);
      const rest = typeof current === "string" ? withoutShared(current) : current;
      return rest === current ? json : rest === "" ? json.remove(at) : json.set(at, rest);
    },
  };
}
