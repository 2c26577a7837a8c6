import { basename, join } from "node:path";
import { desktopConfigName } from "../platform/paths.ts";
import { commandPaths, planCommandRemoval } from "./command-file.ts";
import { isDesktopRunning } from "./desktop-running.ts";
import { unmergeFile } from "./json-file.ts";
import { activePlugin, installedBundle } from "./other-installs.ts";
import { type Line, mergePlans, type Plan, problems } from "./plan.ts";
import { findClaude } from "./program.ts";
import { type InstallRecord, readRecord } from "./record.ts";
import { allRegistrations, planServerFileRemoval, planUserServerRemoval, removesServer } from "./registration.ts";
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
    plan,
    { lines: plan.failures.length > 0 ? [] : emptySections(plan) },
    { lines: problems("Claude Desktop", isRunning ? [runningWarning] : []) },
    otherInstalls(context),
    { next: system.kind === "wsl" ? ["On Windows, run: relay uninstall"] : [] },
  ]);
}

function emptySections({ commands, changes }: Plan): Line[] {
  const sections = ["Claude Code", "Claude Desktop"] as const;
  return sections
    .filter((section) => ![...commands, ...changes].some((step) => step.section === section))
    .map((section) => ({ section, mark: "–", text: "nothing of relay's is in its configuration" }));
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
function otherInstalls({ places }: SetupContext): Partial<Plan> {
  const plugin = activePlugin(places.claudeFolder);
  const hasBundle = places.desktopFolders.some((folder) => installedBundle(folder));
  const ofCode = plugin ? [`relay's plugin for Claude Code stays. Run: claude plugin uninstall ${plugin}`] : [];
  const ofDesktop = hasBundle
    ? ["relay's bundle for Claude Desktop stays. Remove it there, in Settings, Extensions."]
    : [];
  return { lines: [...problems("Claude Code", ofCode), ...problems("Claude Desktop", ofDesktop)] };
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
  if (!path.endsWith(".json")) return planCommandRemoval(record, path);
  if (basename(path) === desktopConfigName) return planServerFileRemoval(record, path, removesServer("Claude Desktop"));
  if (basename(path) === ".mcp.json") return planServerFileRemoval(record, path, removesServer("Claude Code"));
  const step = {
    section: "Claude Code",
    mark: "–",
    what: "removes relay",
    done: ["removed relay's part of the settings"],
  } as const;
  return { changes: unmergeFile(record, path, settingsRemovals(), step) };
}
