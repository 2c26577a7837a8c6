import { accessSync, constants } from "node:fs";
import { permissionRules, permissionRulesInWsl, sandboxExclusion } from "../setup/claude-code.ts";
import { parseHook } from "../setup/hook-entries.ts";
import { stablePath } from "../setup/program.ts";
import { sandboxProblem } from "../setup/sandbox-trial.ts";
import { bufferOf } from "../setup/servers.ts";
import { isAcrossWsl } from "../setup/setup-context.ts";
import { canAppend, isRelaysLine, parseLine, refreshSeconds } from "../setup/status-line.ts";
import { type Check, type Finding, fail, ok, type Subject, unchecked, warn } from "./check.ts";
import { type Configuration, commandIn, type SettingsFile, serverIn } from "./configuration.ts";

const fix = "Run: relay setup-code";

/** Whether the hooks exist and run, and whether setup's rules are in the settings. */
export const checkHooks: Check = ({ configuration, context }) => {
  const { settings, code, plugin } = configuration;
  const user = settings.find(({ scope }) => scope === "user");
  const isSetUp = serverIn(code) !== undefined || hooksOf(user, "UserPromptExpansion").length > 0;
  if (!isSetUp && !plugin) return [];
  return [
    ...(plugin ? [ok("hooks", "come with relay's plugin")] : presence(user, context)),
    ...(isSetUp ? rules(user, code, context) : []),
  ];
};

const hooks = [
  { event: "UserPromptExpansion", purpose: "answers /get and /send", missing: fail },
  { event: "SessionStart", purpose: "reports waiting messages", missing: warn },
];

function presence(user: SettingsFile | undefined, { system }: Subject["context"]): Finding[] {
  const isWindows = system.kind === "windows";
  return hooks.map(({ event, purpose, missing }) => {
    const name = `hook ${event}`;
    const found = hooksOf(user, event);
    const programs = found.map(({ program }) => program);
    const [program = ""] = programs;
    if (found.length === 0) return missing(name, `is not in your settings; it ${purpose}`, fix);
    if (!isProgram(program)) return missing(name, `runs ${program}, which does not exist`, fix);
    if (found.length > 1) return warn(name, `is there ${found.length} times: ${programs.join(", ")}`, fix);
    // such as one that other programs run as /bin/sh alone, because they ignore `args`
    const isCurrent = found.every(({ hook }) => Array.isArray(hook.args) === isWindows);
    return isCurrent ? ok(name, `runs ${program}`) : warn(name, "is in the form of an older relay", fix);
  });
}

function rules(user: SettingsFile | undefined, code: Configuration["code"], context: Subject["context"]): Finding[] {
  const isListed = (path: string[], value: string) => {
    const list = user?.at(path);
    return Array.isArray(list) && list.includes(value);
  };
  const buffer = bufferOf(serverIn(code)) ?? user?.at(["env", "RELAY_DB"]);
  const override = typeof buffer === "string" && buffer !== context.places.defaultBufferPath ? buffer : null;
  const { allow, deny } =
    override === null && isAcrossWsl(context) ? permissionRulesInWsl() : permissionRules(override);
  const missing = [
    ...allow.filter((rule) => !isListed(["permissions", "allow"], rule)),
    ...deny.filter((rule) => !isListed(["permissions", "deny"], rule)),
  ];
  const finding =
    missing.length === 0
      ? ok("rules", "the model may send and read messages' files, and may not read the buffer's file")
      : warn("rules", `are missing from your settings: ${missing.join(", ")}`, fix);
  return [finding];
}

/** Whether a message that arrives in an idle session comes to its screen. */
export const checkStatusLine: Check = ({ configuration: { settings, code }, context }) => {
  const { executable, system } = context;
  const name = "status line";
  if (serverIn(code) === undefined) return [];
  const renew = "Run: relay setup --statusline";
  const file = settings.find(({ at }) => at(["statusLine"]) !== undefined);
  const line = file?.at(["statusLine"]);
  const found = parseLine(line);
  if (!file) return [unchecked(name, "there is none; relay setup --statusline adds one, with what waits")];
  if (file.scope !== "user") return [ok(name, `is that of ${file.path}`)];
  if (!found || !isRelaysLine(line, stablePath(executable, system)))
    return [ok(name, `is your own${canAppend(context) ? "; relay setup --statusline puts what waits after it" : ""}`)];
  if (!system.exists(found.program) && found.program !== "relay")
    return [warn(name, `runs ${found.program}, which does not exist`, renew)];
  const seconds = file.at(["statusLine", "refreshInterval"]);
  if (typeof seconds !== "number") {
    return [warn(name, "is in the form of an older relay, and shows nothing new while a session is idle", renew)];
  }
  const yours = found.theirs === null ? "" : " after your own";
  const often = seconds === refreshSeconds ? "" : `, every ${seconds} s`;
  return [ok(name, `shows what waits${yours}${often}`)];
};

/** Whether Claude Code's sandbox, if it is on, runs on this machine and lets `/get` reach the buffer. */
export const checkSandbox: Check = async ({ configuration, context: { system } }) => {
  const { settings, plugin } = configuration;
  const enabled = settings.map(({ at }) => at(["sandbox", "enabled"])).find((value) => value !== undefined);
  if (enabled !== true) return [];
  const problem = await sandboxProblem(system);
  if (problem) return [fail("sandbox", `is on, but cannot run: ${problem.reason}`, problem.fix)];
  const started = commandIn(configuration);
  const excluded = settings.flatMap(({ at }) => at(["sandbox", "excludedCommands"]) ?? []);
  if (started && excluded.includes(sandboxExclusion(started.program, started.buffer))) {
    return [ok("sandbox", "is on and runs, so commands of a model cannot read the buffer")];
  }
  if (started) return [fail("sandbox", "is on, and keeps /get from the buffer", fix)];
  if (!plugin) return [];
  // a plugin cannot exclude a command from the sandbox
  const advice = "Use relay setup-code in place of the plugin.";
  return [fail("sandbox", "is on, and keeps the plugin's /get from the buffer", advice)];
};

/** relay's hooks of this event, and the program of each. */
function hooksOf(user: SettingsFile | undefined, event: string) {
  const entries = user?.at(["hooks", event]);
  const all = Array.isArray(entries) ? entries.flatMap((entry) => entry?.hooks ?? []) : [];
  return all.flatMap((hook) => {
    const started = parseHook(hook);
    return started ? [{ ...started, hook }] : [];
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
