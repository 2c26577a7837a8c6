import { join } from "node:path";
import { firstWithHooks } from "../core/claude-version.ts";
import { RelayError } from "../core/errors.ts";
import type { System } from "../platform/system.ts";
import { noBunOptions, type ServerEntry, serverEntry } from "./claude-code.ts";
import { planCommand } from "./command-file.ts";
import { mergeFile, readJson } from "./json-file.ts";
import { activePlugin } from "./other-installs.ts";
import { mergePlans, type Plan } from "./plan.ts";
import { claudesWithoutHooks, findClaude, protectedVersion } from "./program.ts";
import { type InstallRecord, readRecord } from "./record.ts";
import { planProjectServer, planUserServer } from "./registration.ts";
import { sandboxProblem } from "./sandbox.ts";
import { settingsEntries } from "./settings.ts";
import { type Launch, launchOf, type SetupContext } from "./setup-context.ts";

/** Options of Claude Code's setup. */
export interface CodeOptions {
  /** Registers the server for the person, or for a project. */
  scope: "user" | "project";
  statusline: boolean;
  /** Switches Claude Code's sandbox on. */
  sandbox?: boolean;
}

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
  const { name, changes } = planCommand(record, places.claudeFolder, launch);
  const server =
    scope === "project"
      ? planProjectServer(record, context, projectEntry(launch))
      : planUserServer(context, claude, serverEntry(program, buffer, { ...noBunOptions, ...serverEnv }));
  const isFindable = scope === "user" || system.find("relay") !== null;
  return mergePlans([
    server,
    settings,
    { changes, warnings: [...pluginWarnings(places.claudeFolder), ...(isFindable ? [] : [notInPath])] },
    { warnings: await oldClaudeWarnings(claude, system, places.home) },
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
  { system, places }: SetupContext,
  launch: Launch,
  { statusline, sandbox = false }: Omit<CodeOptions, "scope">,
): Partial<Plan> {
  const path = join(places.claudeFolder, "settings.json");
  refuseOtherBuffer(record, path, launch.env.RELAY_DB);
  const options = { isWindows: system.kind === "windows", statusline, sandbox };
  const changes = mergeFile(
    record,
    path,
    (json, placed) => settingsEntries(launch, options, json, placed),
    `adds the /get hook and allows relay_send${sandbox ? ", and switches the sandbox on" : ""}`,
  );
  return { changes };
}

function refuseOtherBuffer({ files }: InstallRecord, path: string, buffer: string | undefined): void {
  const set = readJson(path).at(["env", "RELAY_DB"]);
  const placed = files.find((file) => file.path === path)?.placed ?? [];
  if (set === undefined || set === buffer || placed.some(({ value }) => value === set)) return;
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
