import { accessSync, constants } from "node:fs";
import {
  type hookEntries,
  hookProgram,
  permissionRules,
  permissionRulesInWsl,
  sandboxExclusion,
} from "../setup/claude-code.ts";
import { activePlugin } from "../setup/other-installs.ts";
import { stablePath } from "../setup/program.ts";
import { isAcrossWsl } from "../setup/setup-context.ts";
import { type Check, type Finding, fail, ok, type Subject, warn } from "./check.ts";
import type { SettingsFile } from "./configuration.ts";

const mend = "Run: relay setup-code";

/** Whether the hooks are there and run, and whether the rules stand that setup puts in. */
export const checkHooks: Check = (subject) => {
  if (!usesClaudeCode(subject)) return [];
  const own = presence(subject);
  return [
    ...switchedOff(subject),
    ...own,
    ...(isPluginAlone(subject) ? pluginLimits(subject) : rules(subject)),
  ];
};

/** Whether there is anything to say of Claude Code's settings: relay is in them, its server is registered, or its plugin is there. */
function usesClaudeCode(subject: Subject): boolean {
  return isSetUp(subject) || activePlugin(subject.surroundings.places.claudeFolder) !== null;
}

function isSetUp({ configuration }: Subject): boolean {
  const user = userSettings(configuration.settings);
  return (
    configuration.code?.at(["mcpServers", "relay"]) !== undefined ||
    hooksOf(user, "UserPromptExpansion").length > 0
  );
}

function isPluginAlone(subject: Subject): boolean {
  return !isSetUp(subject) && activePlugin(subject.surroundings.places.claudeFolder) !== null;
}

// A plugin brings no exceptions from the sandbox.
function pluginLimits({ configuration }: Subject): Finding[] {
  if (userSettings(configuration.settings)?.at(["sandbox", "enabled"]) !== true) return [];
  return [
    fail(
      "sandbox",
      "is on, and keeps the plugin's /get from the buffer",
      "Use relay setup-code in place of the plugin.",
    ),
  ];
}

// Each of these files, the project's included, can switch off the person's own hooks.
function switchedOff({ configuration }: Subject): Finding[] {
  const off = configuration.settings.filter((file) => file.at(["disableAllHooks"]) === true);
  const managedOnly = configuration.settings.filter(
    ({ scope, at }) => scope === "managed" && at(["allowManagedHooksOnly"]) === true,
  );
  const consequence = "so /get finds no ticket and refuses";
  return [
    ...off.map(({ path, scope }) =>
      fail(
        "hooks",
        `are switched off by disableAllHooks in the ${scope} settings, ${consequence}`,
        `Take it out of ${path}`,
      ),
    ),
    ...managedOnly.map(({ path }) =>
      fail(
        "hooks",
        `of yours are switched off by allowManagedHooksOnly, ${consequence}`,
        `Ask whoever keeps ${path}; until then say get, and approve.`,
      ),
    ),
  ];
}

// Without the first one nothing can be read by /get.
const wanted: Record<keyof ReturnType<typeof hookEntries>, { what: string; miss: typeof fail }> = {
  UserPromptExpansion: { what: "mints the tickets of /get", miss: fail },
  SessionStart: { what: "tells how many messages wait", miss: warn },
};

function presence({ configuration, surroundings }: Subject): Finding[] {
  if (activePlugin(surroundings.places.claudeFolder)) return [ok("hooks", "come with relay's plugin")];
  const user = userSettings(configuration.settings);
  return Object.entries(wanted).map(([event, { what, miss }]) => {
    const programs = hooksOf(user, event);
    const [program] = programs;
    if (program === undefined) return miss(`hook ${event}`, `is not in your settings; it ${what}`, mend);
    if (!isProgram(program)) return miss(`hook ${event}`, `runs ${program}, which is not there`, mend);
    return programs.length === 1
      ? ok(`hook ${event}`, `runs ${program}`)
      : warn(`hook ${event}`, `is there ${programs.length} times: ${programs.join(", ")}`, mend);
  });
}

function rules({ configuration, surroundings }: Subject): Finding[] {
  const user = userSettings(configuration.settings);
  const chosen =
    configuration.code?.at(["mcpServers", "relay", "env", "RELAY_DB"]) ?? user?.at(["env", "RELAY_DB"]);
  const isChosen = typeof chosen === "string" && chosen !== surroundings.places.defaultBufferPath;
  const { allow, deny } =
    !isChosen && isAcrossWsl(surroundings)
      ? permissionRulesInWsl()
      : permissionRules(isChosen ? chosen : null);
  const has = (path: string[], value: string) => {
    const list = user?.at(path);
    return Array.isArray(list) && list.includes(value);
  };
  const missing = [
    ...allow.filter((rule) => !has(["permissions", "allow"], rule)),
    ...deny.filter((rule) => !has(["permissions", "deny"], rule)),
  ];
  const exclusion = sandboxExclusion(stablePath(surroundings.executable, surroundings.system));
  const isSandboxed = user?.at(["sandbox", "enabled"]) === true;
  return [
    missing.length === 0
      ? ok("rules", "the model may send, and not read the buffer's file")
      : warn("rules", `are missing from your settings: ${missing.join(", ")}`, mend),
    ...(isSandboxed && !has(["sandbox", "excludedCommands"], exclusion)
      ? [fail("sandbox", `is on, and keeps /get from the buffer`, mend)]
      : []),
  ];
}

function userSettings(settings: readonly SettingsFile[]): SettingsFile | undefined {
  return settings.find(({ scope }) => scope === "user");
}

/** The programs that relay's hooks of this event run. */
function hooksOf(settings: SettingsFile | undefined, event: string): string[] {
  const entries = settings?.at(["hooks", event]);
  const hooks = Array.isArray(entries)
    ? entries.flatMap((entry) => (Array.isArray(entry?.hooks) ? entry.hooks : []))
    : [];
  return hooks.map(hookProgram).filter((program) => program !== null);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
