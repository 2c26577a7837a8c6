import { accessSync, constants } from "node:fs";
import { hookProgram, permissionRules, permissionRulesInWsl, sandboxExclusion } from "../setup/claude-code.ts";
import { stablePath } from "../setup/program.ts";
import { isAcrossWsl } from "../setup/setup-context.ts";
import { type Check, type Finding, fail, ok, type Subject, warn } from "./check.ts";
import { type Configuration, type SettingsFile, serverIn } from "./configuration.ts";

const fix = "Run: relay setup-code";

/** Whether the hooks exist and run, and whether setup's rules are in the settings. */
export const checkHooks: Check = ({ configuration, context }) => {
  const { settings, code, plugin } = configuration;
  const user = settings.find(({ scope }) => scope === "user");
  const isSetUp = serverIn(code) !== undefined || programsOf(user, "UserPromptExpansion").length > 0;
  if (!isSetUp && !plugin) return [];
  return [
    ...(plugin ? [ok("hooks", "come with relay's plugin")] : presence(user)),
    ...(isSetUp ? rules(user, code, context) : pluginInSandbox(user)),
  ];
};

const hooks = [
  { event: "UserPromptExpansion", purpose: "issues the tickets of /get", missing: fail },
  { event: "SessionStart", purpose: "reports waiting messages", missing: warn },
];

function presence(user: SettingsFile | undefined): Finding[] {
  return hooks.map(({ event, purpose, missing }) => {
    const name = `hook ${event}`;
    const [program, ...others] = programsOf(user, event);
    if (program === undefined) return missing(name, `is not in your settings; it ${purpose}`, fix);
    if (!isProgram(program)) return missing(name, `runs ${program}, which does not exist`, fix);
    if (others.length === 0) return ok(name, `runs ${program}`);
    return warn(name, `is there ${others.length + 1} times: ${[program, ...others].join(", ")}`, fix);
  });
}

function rules(user: SettingsFile | undefined, code: Configuration["code"], context: Subject["context"]): Finding[] {
  const isListed = (path: string[], value: string) => {
    const list = user?.at(path);
    return Array.isArray(list) && list.includes(value);
  };
  const buffer = code?.at(["mcpServers", "relay", "env", "RELAY_DB"]) ?? user?.at(["env", "RELAY_DB"]);
  const override = typeof buffer === "string" && buffer !== context.places.defaultBufferPath ? buffer : null;
  const { allow, deny } =
    override === null && isAcrossWsl(context) ? permissionRulesInWsl() : permissionRules(override);
  const missing = [
    ...allow.filter((rule) => !isListed(["permissions", "allow"], rule)),
    ...deny.filter((rule) => !isListed(["permissions", "deny"], rule)),
  ];
  const finding =
    missing.length === 0
      ? ok("rules", "the model may send, and may not read the buffer's file")
      : warn("rules", `are missing from your settings: ${missing.join(", ")}`, fix);
  const exclusion = sandboxExclusion(stablePath(context.executable, context.system));
  if (!isSandboxed(user) || isListed(["sandbox", "excludedCommands"], exclusion)) return [finding];
  return [finding, fail("sandbox", "is on, and keeps /get from the buffer", fix)];
}

// A plugin cannot exclude a command from the sandbox.
function pluginInSandbox(user: SettingsFile | undefined): Finding[] {
  if (!isSandboxed(user)) return [];
  const advice = "Use relay setup-code in place of the plugin.";
  return [fail("sandbox", "is on, and keeps the plugin's /get from the buffer", advice)];
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
