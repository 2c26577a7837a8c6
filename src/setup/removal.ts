import { basename, join } from "node:path";
import { desktopConfigName } from "../platform/paths.ts";
import { commandPaths, planCommandRemoval } from "./command-file.ts";
import { isDesktopRunning } from "./desktop-running.ts";
import { unmergeFile } from "./json-file.ts";
import { activePlugin, installedBundle } from "./other-installs.ts";
import { mergePlans, type Plan } from "./plan.ts";
import { findClaude } from "./program.ts";
import { type InstallRecord, readRecord } from "./record.ts";
import { allRegistrations, planServerFileRemoval, planUserServerRemoval } from "./registration.ts";
import { settingsRemovals } from "./settings.ts";
import type { SetupContext } from "./setup-context.ts";

/**
 * Removes everything that setup added, at the usual paths and at those in the record. The failures name parts that cannot
 * be removed. Throws a `failed` error if the record cannot be read.
 */
export async function planRemoval(context: SetupContext): Promise<Plan> {
  const { system, places } = context;
  const record = readRecord(places.installRecord);
  const claude = findClaude(system, places.home);
  const paths = new Set([...record.files.map(({ path }) => path), ...usualPaths(context)]);
  const plan = mergePlans([
    ...allRegistrations(record, context).map((registration) =>
      orFailure(() => planUserServerRemoval(record, context, claude, registration)),
    ),
    ...[...paths].map((path) => orFailure(() => planFileRemoval(record, path))),
  ]);
  const isDesktopConfig = plan.changes.some(({ path }) => basename(path) === desktopConfigName);
  const isRunning = isDesktopConfig && (await isDesktopRunning(system, places.home));
  return mergePlans([
    { warnings: isRunning ? [runningWarning] : [] },
    plan,
    { warnings: otherInstalls(context), next: system.kind === "wsl" ? ["On Windows, run: relay uninstall"] : [] },
  ]);
}

const runningWarning =
  "Claude Desktop is running, and may write relay's entry back. Quit it, then run: relay uninstall";

function orFailure(plan: () => Partial<Plan>): Partial<Plan> {
  try {
    return plan();
  } catch (error) {
    return { failures: [error as Error] };
  }
}

// setup did not install a plugin or a bundle, so uninstall leaves them.
function otherInstalls({ places }: SetupContext): string[] {
  const plugin = activePlugin(places.claudeFolder);
  const hasBundle = places.desktopFolders.some((folder) => installedBundle(folder));
  return [
    ...(plugin ? [`relay's plugin for Claude Code stays. Run: claude plugin uninstall ${plugin}`] : []),
    ...(hasBundle ? ["relay's bundle for Claude Desktop stays. Remove it there, in Settings, Extensions."] : []),
  ];
}

/** The files in which relay may be, without a record. */
function usualPaths({ places }: SetupContext): string[] {
  const { claudeFolder, desktopFolders } = places;
  return [
    join(claudeFolder, "settings.json"),
    ...commandPaths(claudeFolder),
    ...desktopFolders.map((folder) => join(folder, desktopConfigName)),
  ];
}

function planFileRemoval(record: InstallRecord, path: string): Partial<Plan> {
  const what = "removes relay";
  if (!path.endsWith(".json")) return planCommandRemoval(record, path);
  if ([desktopConfigName, ".mcp.json"].includes(basename(path))) return planServerFileRemoval(record, path, what);
  return { changes: unmergeFile(record, path, settingsRemovals(), what) };
}
