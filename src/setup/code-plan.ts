import { join } from "node:path";
import { firstWithHooks } from "../core/claude-version.ts";
import { RelayError } from "../core/errors.ts";
import type { System } from "../platform/system.ts";
import { noBunOptions, type ServerEntry, serverEntry } from "./claude-code.ts";
import { planCommands } from "./command-file.ts";
import { mergeFile, readJson } from "./json-file.ts";
import type { JsonText } from "./json-text.ts";
import { activePlugin } from "./other-installs.ts";
import { changesOr, mergePlans, type Plan, problems, type Step } from "./plan.ts";
import { claudesWithoutHooks, findClaude, protectedVersion } from "./program.ts";
import { type InstallRecord, type Placed, readRecord } from "./record.ts";
import { planProjectServer, planUserServer } from "./registration.ts";
import { sandboxProblem } from "./sandbox-trial.ts";
import { settingsEntries } from "./settings.ts";
import { type Launch, launchOf, type SetupContext } from "./setup-context.ts";
import { canAppend, isRelaysLine, lineEntries, parseLine } from "./status-line.ts";

/** Options of Claude Code's setup. */
export interface CodeOptions {
  /** Registers the server for the person, or for a project. */
  scope: "user" | "project";
  statusline: boolean;
  /** Switches Claude Code's sandbox on. */
  sandbox?: boolean;
}

const section = "Claude Code";

/**
 * Connects Claude Code: the server, the command, the hooks and rules in the settings. Throws a `failed` error if any of
 * them is not possible.
 */
export async function planCode(context: SetupContext, { scope, ...options }: CodeOptions): Promise<Plan> {
  const { system, places } = context;
  const launch = launchOf(context);
  const { program, buffer, serverEnv } = launch;
  const claude = await checkedClaude(system, places.home);
  const problem = options.sandbox ? await sandboxProblem(system) : null;
  if (problem) throw new RelayError("failed", `Claude Code's sandbox cannot run: ${problem.reason}`, problem.fix);
  const record = readRecord(places.installRecord);
  const settings = planSettings(record, context, launch, options);
  const { name, sendName, changes } = planCommands(record, places.claudeFolder, launch);
  const server =
    scope === "project"
      ? planProjectServer(record, context, projectEntry(launch))
      : planUserServer(context, claude, serverEntry(program, buffer, { ...noBunOptions, ...serverEnv }));
  const isFindable = scope === "user" || system.find("relay") !== null;
  return mergePlans([
    server,
    settings,
    changesOr(changes, section, `the commands /${name} and /${sendName} are installed`),
    { lines: problems(section, [...pluginWarnings(places.claudeFolder), ...(isFindable ? [] : [notInPath])]) },
    { lines: problems(section, await oldClaudeWarnings(claude, system, places.home)) },
    { next: [`Restart open sessions of Claude Code, which do not know relay yet. Then type /${name} there.`] },
  ]);
}

// The others in a project have other homes, so the entry names only a buffer that somebody chose.
function projectEntry({ buffer, env, serverEnv }: Launch): ServerEntry {
  return serverEntry("relay", buffer && (env.RELAY_DB ?? null), serverEnv);
}

const notInPath = "relay is not in PATH, where a project's .mcp.json looks for it. Put its folder into PATH.";

/** The program of Claude Code. Throws a `failed` error for a missing one, and for one that does not protect its person. */
async function checkedClaude(system: System, home: string): Promise<string> {
  const claude = findClaude(system, home);
  if (!claude) {
    throw new RelayError(
      "failed",
      "Claude Code is not installed: there is no claude in PATH or ~/.local/bin",
      "Install it, and run this again.",
    );
  }
  await protectedVersion(claude, system, home);
  return claude;
}

async function oldClaudeWarnings(claude: string, system: System, home: string): Promise<string[]> {
  const old = await claudesWithoutHooks(claude, system, home);
  const consequence = `is older than ${firstWithHooks} and ignores the whole settings file because of relay's hooks`;
  return old.map((path) => `${path} ${consequence}. Update it, or give it a CLAUDE_CONFIG_DIR of its own.`);
}

function planSettings(
  record: InstallRecord,
  context: SetupContext,
  launch: Launch,
  { statusline, sandbox = false }: Omit<CodeOptions, "scope">,
): Partial<Plan> {
  const { system, places } = context;
  const path = join(places.claudeFolder, "settings.json");
  refuseOtherBuffer(record, path, launch.env.RELAY_DB);
  const line = readJson(path).at(["statusLine"]);
  const isRelays = isRelaysLine(line, launch.program, placedIn(record, path));
  const isWanted = isRelays || (statusline && (line === undefined || canAppend(context)));
  const entries = isWanted ? lineEntries(launch, line, isRelays) : [];
  const options = { isWindows: system.kind === "windows", sandbox };
  const changes = mergeFile(
    record,
    path,
    (json, placed) => [...settingsEntries(launch, options, json, placed), ...entries],
    stepOf,
  );
  const state = `the hooks and rules of /get${isRelays ? " and the status line" : ""} are in the settings`;
  const left = isWanted ? [] : [{ section, mark: "–", text: describeLeft(line, context) } as const];
  return mergePlans([changesOr(changes, section, state), { lines: left }]);
}

function stepOf(before: JsonText, after: JsonText): Step {
  const isChanged = (...path: string[]) => !Bun.deepEquals(before.at(path), after.at(path), true);
  const line = before.at(["statusLine"]);
  const parts: [what: string, done: string][] = [];
  if (["hooks", "permissions", "env"].some((key) => isChanged(key)))
    parts.push(["adds the /get hook and allows relay_send", "added the hooks of /get, and allowed relay_send"]);
  if (isChanged("sandbox", "enabled")) parts.push(["switches the sandbox on", "switched the sandbox on"]);
  else if (isChanged("sandbox")) parts.push(["lets /get out of the sandbox", "let /get out of the sandbox"]);
  if (isChanged("statusLine"))
    parts.push(
      line === undefined || parseLine(line)
        ? ["adds a live status line", "added a live status line, which shows what waits"]
        : ["puts what waits after your status line", "put what waits after your own status line, and made it live"],
    );
  return { section, mark: "+", what: parts.map(([what]) => what).join(", and "), done: parts.map(([, done]) => done) };
}

function describeLeft(line: unknown, context: SetupContext): string {
  if (line === undefined) return "no status line; relay setup --statusline adds a live one";
  if (canAppend(context)) return "your own status line stays; relay setup --statusline puts what waits after it";
  return "your own status line stays as it is: relay cannot run it on Windows";
}

function placedIn({ files }: InstallRecord, path: string): readonly Placed[] {
  return files.find((file) => file.path === path)?.placed ?? [];
}

function refuseOtherBuffer(record: InstallRecord, path: string, buffer: string | undefined): void {
  const set = readJson(path).at(["env", "RELAY_DB"]);
  if (set === undefined || set === buffer || placedIn(record, path).some(({ value }) => value === set)) return;
  throw new RelayError(
    "failed",
    `${path} sets RELAY_DB to ${JSON.stringify(set)}, and this command has ${JSON.stringify(buffer ?? null)}`,
    "Make them equal, and run this again.",
  );
}

function pluginWarnings(claudeFolder: string): string[] {
  const plugin = activePlugin(claudeFolder);
  if (!plugin) return [];
  return [
    `relay's plugin is installed too, so Claude Code will have everything twice. Run: claude plugin uninstall ${plugin}`,
  ];
}
