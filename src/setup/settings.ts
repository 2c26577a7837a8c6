import { isShared, withoutShared, wslEnv } from "../platform/wslenv.ts";
import {
  hookEntries,
  hookProgram,
  isRelay,
  permissionRules,
  sandboxExclusion,
  statusLine,
} from "./claude-code.ts";
import type { JsonText, Path } from "./json-text.ts";
import type { Placement, TakeOut } from "./merge.ts";
import { isOriginalHook } from "./original.ts";
import type { Placed } from "./record.ts";

/** How Claude Code's settings are to know relay. */
export interface SettingsOptions {
  /** The path of the program. */
  program: string;
  isWindows: boolean;
  rules: { allow: string[]; deny: string[] };
  /** The variables that every process of Claude Code's is to have. */
  env: Record<string, string>;
  statusline: boolean;
}

/** What of relay's stands in Claude Code's settings, given what stands there now and what setup placed there before. */
export function settingsPlacements(
  { program, isWindows, rules, env, statusline }: SettingsOptions,
  settings: JsonText,
  placed: readonly Placed[],
): Placement[] {
  const hooks = hookEntries(program, isWindows);
  const ruled = Object.entries(rules).flatMap(([name, list]) =>
    list.map((rule) => element(["permissions", name], rule)),
  );
  const isSandboxed = settings.at(["sandbox", "enabled"]) === true;
  const line = settings.at(["statusLine"]);
  const isOwnLine = placed.some(
    ({ path, value }) => path[0] === "statusLine" && Bun.deepEquals(value, line, true),
  );
  return [
    hookPlacement("UserPromptExpansion", hooks.UserPromptExpansion),
    { ...hookPlacement("SessionStart", hooks.SessionStart), takeOutOriginal: takeHooks(isOriginalHook) },
    ...ruled,
    ...(isSandboxed
      ? [element(["sandbox", "excludedCommands"], sandboxExclusion(program), take(isRelayTyped))]
      : []),
    ...(isOwnLine || (statusline && line === undefined)
      ? [property(["statusLine"], statusLine(program))]
      : []),
    ...Object.entries(env).map(([name, value]) => variable(name, value)),
  ];
}

/** What of relay's may stand in Claude Code's settings, whatever path it is at, to take out. */
export function settingsRemovals(): Placement[] {
  return [
    hookPlacement("UserPromptExpansion", null),
    hookPlacement("SessionStart", null),
    element(["sandbox", "excludedCommands"], null, take(isRelayTyped)),
    variable("WSLENV", ""),
  ];
}

/** What relay probably placed in settings that have its hooks, should there be no record of it. */
export function guessPlaced(settings: JsonText): Placed[] {
  const program = hooksOf(settings.at(["hooks", "UserPromptExpansion"]))
    .map(hookProgram)
    .find(Boolean);
  if (!program) return [];
  const buffer = settings.at(["env", "RELAY_DB"]);
  const { allow, deny } = permissionRules(typeof buffer === "string" ? buffer : null);
  return [
    ...(typeof buffer === "string" ? [{ path: ["env", "RELAY_DB"], value: buffer }] : []),
    ...allow.map((value) => ({ path: ["permissions", "allow"], value })),
    ...deny.map((value) => ({ path: ["permissions", "deny"], value })),
    { path: ["statusLine"], value: statusLine(program) },
  ];
}

function hooksOf(entries: unknown): unknown[] {
  const list: unknown[] = Array.isArray(entries) ? entries : [];
  return list.flatMap((entry) => {
    const { hooks } = (entry ?? {}) as { hooks?: unknown };
    return Array.isArray(hooks) ? hooks : [];
  });
}

function hookPlacement(event: string, entry: unknown): Placement {
  return {
    ...element(["hooks", event], entry, takeHooks(isRelayHook)),
    update: (json, at) => updateHooks(json, at, hooksOf([entry])[0] as Record<string, unknown>),
  };
}

// What runs, and not for how long or for what else somebody wants it.
function updateHooks(json: JsonText, at: Path, wanted: Record<string, unknown>): JsonText {
  const hooks = json.at([...at, "hooks"]);
  if (!Array.isArray(hooks)) return json;
  const { command, args } = wanted;
  return hooks.reduce<JsonText>((left, hook, index) => {
    const same = hook?.command === command && Bun.deepEquals(hook.args, args, true);
    if (!isRelayHook(hook) || same) return left;
    const place = [...at, "hooks", index];
    return left.set([...place, "command"], command).set([...place, "args"], args);
  }, json);
}

function element(path: string[], value: unknown, takeOut?: TakeOut): Placement {
  return { path, kind: "element", value: () => value, ...(takeOut && { takeOut }) };
}

function property(path: string[], value: unknown, takeOut?: TakeOut): Placement {
  return { path, kind: "property", value: () => value, ...(takeOut && { takeOut }) };
}

// WSLENV is a list, of which the person may have a part.
function variable(name: string, value: string): Placement {
  const path = ["env", name];
  if (name !== "WSLENV") return property(path, value);
  return {
    path,
    kind: "property",
    value: (existing) =>
      typeof existing !== "string" ? value : isShared(existing) ? existing : wslEnv(existing),
    takeOut(json, at) {
      const found = json.at(at);
      const left = typeof found === "string" ? withoutShared(found) : found;
      return left === found ? json : left === "" ? json.remove(at) : json.set(at, left);
    },
  };
}

function take(isOurs: (value: unknown) => boolean): TakeOut {
  return (json, at) => (isOurs(json.at(at)) ? json.remove(at) : json);
}

/** Takes hooks out of an entry of a hook event, and the entry if none is left. */
function takeHooks(isGone: (hook: unknown) => boolean): TakeOut {
  return (json: JsonText, at: Path) => {
    const hooks = json.at([...at, "hooks"]);
    if (!Array.isArray(hooks) || !hooks.some(isGone)) return json;
    if (hooks.every(isGone)) return json.remove(at);
    return hooks.reduceRight<JsonText>(
      (left, hook, index) => (isGone(hook) ? left.remove([...at, "hooks", index]) : left),
      json,
    );
  };
}

function isRelayHook(hook: unknown): boolean {
  return hookProgram(hook) !== null;
}

/** Whether a command for a shell is nothing but relay's own slot. */
function isRelayTyped(command: unknown): boolean {
  if (typeof command !== "string" || !command.endsWith(" typed")) return false;
  return isRelay(command.slice(0, -" typed".length).replace(/^'(.*)'$/, "$1"));
}
