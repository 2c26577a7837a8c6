import { accessSync, constants } from "node:fs";
import {
  hookProgram,
  permissionRules,
  permissionRulesInWsl,
  sandboxExclusion,
} from "../setup/claude-code.ts";
import { stablePath } from "../setup/program.ts";
import { isAcrossWsl } from "../setup/setup-context.ts";
import { type Check, type Finding, fail, ok, type Subject, warn } from "./check.ts";
import { type Configuration, type SettingsFile, serverIn } from "./configuration.ts";

const fix = "Run: relay setup-code";

/** Whether the hooks are there and run, and whether the rules stand that setup writes. */
export const checkHooks: Check = ({ configuration, context }) => {
  const { settings, code, plugin } = configuration;
  const user = settings.find(({ scope }) => scope === "user");
  const isSetUp = serverIn(code) !== undefined || programsOf(user, "UserPromptExpansion").length > 0;
  if (!isSetUp && !plugin) return [];
  return [
    ...switchedOff(configuration),
    ...(plugin ? [ok("hooks", "come with relay's plugin")] : presence(user)),
    ...(isSetUp ? rules(user, code, context) : pluginInSandbox(user)),
  ];
};

// Each of these files, the project's too, can switch off the person's own hooks.
function switchedOff({ settings }: Configuration): Finding[] {
  const consequence = "so /get finds no ticket and refuses";
  return settings.flatMap(({ path, scope, at }) => {
    const found: Finding[] = [];
    if (at(["disableAllHooks"]) === true) {
      const detail = `are switched off by disableAllHooks in the ${scope} settings, ${consequence}`;
      found.push(fail("hooks", detail, `Remove it from ${path}`));
    }
    if (scope === "managed" && at(["allowManagedHooksOnly"]) === true) {
      const detail = `of yours are switched off by allowManagedHooksOnly, ${consequence}`;
      const ask = `Ask the administrator, who manages ${path}; until then say get, and approve.`;
      found.push(fail("hooks", detail, ask));
    }
    return found;
  });
}

const wanted = [
  { event: "UserPromptExpansion", purpose: "issues the tickets of /get", missing: fail },
  { event: "SessionStart", purpose: "tells how many messages wait", missing: warn },
];

function presence(user: SettingsFile | undefined): Finding[] {
  return wanted.map(({ event, purpose, missing }) => {
    const name = `hook ${event}`;
    const [program, ...others] = programsOf(user, event);
    if (program === undefined) return missing(name, `is not in your settings; it ${purpose}`, fix);
    if (!isProgram(program)) return missing(name, `runs ${program}, which does not exist`, fix);
    if (others.length === 0) return ok(name, `runs ${program}`);
    return warn(name, `is there ${others.length + 1} times: ${[program, ...others].join(", ")}`, fix);
  });
}

function rules(
  user: SettingsFile | undefined,
  code: Configuration["code"],
  context: Subject["context"],
): Finding[] {
  const lists = (path: string[], value: string) => {
    const list = user?.at(path);
    return Array.isArray(list) && list.includes(value);
  };
  const buffer = code?.at(["mcpServers", "relay", "env", "RELAY_DB"]) ?? user?.at(["env", "RELAY_DB"]);
  const chosen = typeof buffer === "string" && buffer !== context.places.defaultBufferPath ? buffer : null;
  const { allow, deny } =
    chosen === null && isAcrossWsl(context) ? permissionRulesInWsl() : permissionRules(chosen);
  const missing = [
    ...allow.filter((rule) => !lists(["permissions", "allow"], rule)),
    ...deny.filter((rule) => !lists(["permissions", "deny"], rule)),
  ];
  const found =
    missing.length === 0
      ? ok("rules", "the model may send, and not read the buffer's file")
      : warn("rules", `are missing from your settings: ${missing.join(", ")}`, fix);
  const exclusion = sandboxExclusion(stablePath(context.executable, context.system));
  if (!isSandboxed(user) || lists(["sandbox", "excludedCommands"], exclusion)) return [found];
  return [found, fail("sandbox", "is on, and keeps /get from the buffer", fix)];
}

// A plugin brings no exceptions from the sandbox.
function pluginInSandbox(user: SettingsFile | undefined): Finding[] {
  if (!isSandboxed(user)) return [];
  const instead = "Use relay setup-code in place of the plugin.";
  return [fail("sandbox", "is on, and keeps the plugin's /get from the buffer", instead)];
}

function isSandboxed(user: SettingsFile | undefined): boolean {
  return user?.at(["sandbox", "enabled"]) === true;
}

/** The programs that relay's hooks of this event run. */
function programsOf(user: SettingsFile | undefined, event: string): string[] {
  const entries = user?.at(["hooks", event]);
  const hooks = Array.isArray(entries) ? entries.flatMap((entry) => entry?.hooks ?? []) : [];
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
