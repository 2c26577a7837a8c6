import { join } from "node:path";
import { RelayError } from "../core/errors.ts";
import type { System } from "../platform/system.ts";
import { serverEntry } from "./claude-code.ts";
import { planCommand } from "./command-file.ts";
import { mergeFile } from "./json-file.ts";
import { type JsonText, jsonText } from "./json-text.ts";
import { activePlugin } from "./other-installs.ts";
import type { Plan } from "./plan.ts";
import { findClaude, protectedVersion } from "./program.ts";
import { type InstallRecord, readRecord } from "./record.ts";
import { planProjectServer, planUserServer } from "./registration.ts";
import { guessPlaced, settingsPlacements } from "./settings.ts";
import { type Surroundings, type Wiring, wiring } from "./setup-context.ts";
import { readContent } from "./write-file.ts";

/** How Claude Code is to be set up. */
export interface CodeOptions {
  /** For whom the server is registered. */
  scope: "user" | "project";
  statusline: boolean;
}

/**
 * What setting up Claude Code takes: the server, the command, the hooks and rules in the settings. Throws a `failed`
 * error if it cannot all be done; nothing was changed then.
 */
export async function planCode(
  surroundings: Surroundings,
  { scope, statusline }: CodeOptions,
): Promise<Plan> {
  const { system, places } = surroundings;
  const wired = wiring(surroundings);
  const claude = await checkedClaude(system, places.home);
  const record = readRecord(places.installRecord);
  const settings = planSettings(record, surroundings, wired, statusline);
  const { name, changes } = planCommand(record, places.claudeFolder, wired.program);
  const entry = serverEntry(wired.program, wired.env);
  const server =
    scope === "project"
      ? planProjectServer(record, surroundings, { ...entry, command: "relay" })
      : planUserServer(record, surroundings, claude, entry);
  const isFindable = scope === "user" || system.find("relay") !== null;
  return {
    errands: server.errands,
    changes: [...server.changes, ...settings.changes, ...changes],
    warnings: [
      ...settings.warnings,
      ...pluginWarning(places.claudeFolder),
      ...(isFindable ? [] : [notInPath]),
    ],
    next: [
      ...server.next,
      `Sessions of Claude Code that are open now do not know relay yet: start them anew. Then type /${name} there.`,
    ],
    failures: [],
  };
}

const notInPath = "relay is not in PATH, where a project's .mcp.json looks for it. Put its folder into PATH.";

/** The program of a Claude Code that protects its person. */
async function checkedClaude(system: System, home: string): Promise<string> {
  const claude = findClaude(system, home);
  if (!claude) {
    throw new RelayError(
      "failed",
      "Claude Code is not here: there is no claude in PATH or ~/.local/bin. Install it, and run this again.",
    );
  }
  await protectedVersion(claude, system, home);
  return claude;
}

function planSettings(
  record: InstallRecord,
  surroundings: Surroundings,
  { program, env, rules }: Wiring,
  statusline: boolean,
) {
  const { system, places } = surroundings;
  const path = join(places.claudeFolder, "settings.json");
  const found = jsonText(
    readContent(path)
      ?.toString()
      .replace(/^\uFEFF/, "") ?? "",
    path,
  );
  refuseOtherBuffer(found, path, env.RELAY_DB, record);
  const options = { program, isWindows: system.kind === "windows", rules, env, statusline };
  const what = "lets /get, and only a person's own, read messages; lets the model send";
  const change = mergeFile(
    record,
    path,
    (json, placed) => settingsPlacements(options, json, placed),
    what,
    guessPlaced,
  );
  const warnings =
    found.at(["disableAllHooks"]) === true
      ? [`hooks are switched off by disableAllHooks in ${path}, so /get will refuse. Take that out.`]
      : [];
  return { changes: change ? [change] : [], warnings };
}

function refuseOtherBuffer(
  settings: JsonText,
  path: string,
  buffer: string | undefined,
  { files }: InstallRecord,
): void {
  const set = settings.at(["env", "RELAY_DB"]);
  const placed = files.find((file) => file.path === path)?.placed ?? [];
  if (set === undefined || set === buffer || placed.some(({ value }) => value === set)) return;
  throw new RelayError(
    "failed",
    `${path} sets RELAY_DB to ${JSON.stringify(set)}, and here it is ${JSON.stringify(buffer ?? null)}. Make the two the same, and run this again.`,
  );
}

function pluginWarning(claudeFolder: string): string[] {
  const plugin = activePlugin(claudeFolder);
  if (!plugin) return [];
  return [
    `relay's plugin is installed too, so Claude Code will have everything twice. Run: claude plugin uninstall ${plugin}`,
  ];
}
