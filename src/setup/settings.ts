import { isShared, withoutShared } from "../wsl.ts";
import {
  hookEntries,
  hookProgram,
  isRelay,
  permissionRules,
  sandboxExclusion,
  statusLine,
} from "./claude-code.ts";
import type { JsonText, Path } from "./json-text.ts";
import { isOriginalHook } from "./original.ts";
import type { Placement, TakeOut } from "./placement.ts";
import type { Placed } from "./record.ts";

/** How Claude Code's settings are to know relay. */
export interface SettingsOptions {
  /** The path of the program. */
  program: string;
  isWindows: boolean;
  /** The buffer file, if it is not the usual one. */
  buffer: string | null;
  /** The variables that every process of Claude Code's is to have. */
  env: Record<string, string>;
  statusline: boolean;
}

/** What of relay's stands in Claude Code's settings, given what stands there now. */
export function settingsPlacements(options: SettingsOptions, settings: JsonText): Placement[] {
  const { program, isWindows, buffer, env, statusline } = options;
  const hooks = hookEntries(program, isWindows);
  const { allow, deny } = permissionRules(buffer);
  const rules = (name: string, list: string[]) => list.map((rule) => element(["permissions", name], rule));
  const isSandboxed = settings.at(["sandbox", "enabled"]) === true;
  const hasStatusLine = settings.at(["statusLine"]) !== undefined;
  const isOwnStatusLine = isRelayLine(settings.at(["statusLine"]));
  return [
    element(["hooks", "UserPromptExpansion"], hooks.UserPromptExpansion, takeHooks(isRelayHook)),
    {
      ...element(["hooks", "SessionStart"], hooks.SessionStart, takeHooks(isRelayHook)),
      takeOutOriginal: takeHooks(isOriginalHook),
    },
    ...rules("allow", allow),
    ...rules("deny", deny),
    ...(isSandboxed
      ? [element(["sandbox", "excludedCommands"], sandboxExclusion(program), take(isRelayTyped))]
      : []),
    ...(isOwnStatusLine || (statusline && !hasStatusLine)
      ? [property(["statusLine"], statusLine(program), take(isRelayLine))]
      : []),
    ...Object.entries(env).map(([name, value]) => variable(name, value)),
  ];
}

/** What of relay's may stand in Claude Code's settings, whatever path it is at, to take out. */
export function settingsRemovals(): Placement[] {
  return [
    element(["hooks", "UserPromptExpansion"], null, takeHooks(isRelayHook)),
    element(["hooks", "SessionStart"], null, takeHooks(isRelayHook)),
    element(["sandbox", "excludedCommands"], null, take(isRelayTyped)),
    property(["statusLine"], null, take(isRelayLine)),
    variable("WSLENV", ""),
  ];
}

/** What relay probably placed in settings that have its hooks, should there be no record of it. */
export function guessPlaced(settings: JsonText): Placed[] {
  const entries = settings.at(["hooks", "UserPromptExpansion"]);
  const hooks = Array.isArray(entries) ? entries.flatMap(({ hooks = [] }) => hooks) : [];
  if (!hooks.some(isRelayHook)) return [];
  const { allow, deny } = permissionRules(null);
  return [
    ...allow.map((value) => ({ path: ["permissions", "allow"], value })),
    ...deny.map((value) => ({ path: ["permissions", "deny"], value })),
  ];
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
    value: (existing) => (typeof existing === "string" && isShared(existing) ? existing : value),
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

function isRelayLine(line: unknown): boolean {
  const { command } = (line ?? {}) as { command?: unknown };
  return runsRelay(command, "statusline");
}

function isRelayTyped(command: unknown): boolean {
  return runsRelay(command, "typed");
}

/** Whether a command for a shell is nothing but relay with this verb. */
function runsRelay(command: unknown, verb: string): boolean {
  if (typeof command !== "string" || !command.endsWith(` ${verb}`)) return false;
  return isRelay(command.slice(0, -verb.length - 1).replace(/^'(.*)'$/, "$1"));
}
