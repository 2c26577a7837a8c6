import { basename, join } from "node:path";
import { sentence } from "../errors.ts";
import { activePlugin, installedBundle } from "./beside.ts";
import { desktopConfigName } from "./chosen-buffer.ts";
import { commandPaths, planCommandRemoval } from "./command-file.ts";
import { isDesktopRunning } from "./desktop-running.ts";
import { unmergeFile } from "./json-file.ts";
import type { FileChange, Plan } from "./plan.ts";
import { findClaude } from "./program.ts";
import { type InstallRecord, readRecord } from "./record.ts";
import { planUserServerRemovals } from "./registration.ts";
import { serverPlacement } from "./servers.ts";
import { guessPlaced, settingsRemovals } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * What takes out all that setup put in, here and wherever else the record says. What cannot be taken out is among the
 * failures. Throws a `failed` error if the record cannot be read.
 */
export async function planRemoval(surroundings: Surroundings): Promise<Plan> {
  const { system, places } = surroundings;
  const record = readRecord(places.installRecord);
  const failures: string[] = [];
  const attempt = <T>(work: () => T[]): T[] => {
    try {
      return work();
    } catch (error) {
      failures.push(sentence(error));
      return [];
    }
  };
  const claude = findClaude(system, places.home);
  const errands = attempt(() => (claude ? planUserServerRemovals(record, surroundings, claude) : []));
  const paths = new Set([
    ...record.files.map(({ path }) => path),
    ...usualPaths(surroundings, record, claude),
  ]);
  const changes = [...paths].flatMap((path) => attempt(() => planFile(record, path)));
  const isDesktopConfig = changes.some(({ path }) => basename(path) === desktopConfigName);
  const isRunning = isDesktopConfig && (await isDesktopRunning(system, places.home));
  return {
    errands,
    changes,
    warnings: [
      ...(isRunning
        ? ["Claude Desktop is running, and may write relay's entry back. Quit it, then run: relay uninstall"]
        : []),
      ...besides(surroundings),
    ],
    next: system.kind === "wsl" ? ["On the Windows side, run: relay uninstall"] : [],
    failures,
  };
}

// What was not put in by setup is not taken out by uninstall, and would go on without its program.
function besides({ places }: Surroundings): string[] {
  const plugin = activePlugin(places.claudeFolder);
  return [
    ...(plugin ? [`relay's plugin for Claude Code stays. Run: claude plugin uninstall ${plugin}`] : []),
    ...(places.desktopFolders.some((folder) => installedBundle(folder))
      ? ["relay's bundle for Claude Desktop stays. Remove it there, in Settings, Extensions."]
      : []),
  ];
}

/** Where relay may be without a record of it. */
function usualPaths({ places }: Surroundings, record: InstallRecord, claude: string | null): string[] {
  const { claudeFolder, claudeConfig, desktopFolders } = places;
  return [
    join(claudeFolder, "settings.json"),
    ...commandPaths(claudeFolder),
    ...desktopFolders.map((folder) => join(folder, desktopConfigName)),
    // without a Claude Code there is nobody who would write these at the same time
    ...(claude ? [] : [claudeConfig, ...record.registrations.map(({ config }) => config)]),
  ];
}

const serverFiles = [desktopConfigName, ".mcp.json", ".claude.json", ".config.json"];

function planFile(record: InstallRecord, path: string): FileChange[] {
  const what = "takes relay out";
  const change = !path.endsWith(".json")
    ? planCommandRemoval(record, path)
    : serverFiles.includes(basename(path))
      ? unmergeFile(record, path, [serverPlacement({ command: "relay", args: [] })], what)
      : unmergeFile(record, path, settingsRemovals(), what, guessPlaced);
  return change ? [change] : [];
}
