import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorMessage } from "../core/errors.ts";
import { desktopConfigName } from "../platform/paths.ts";
import { commandPaths, planCommandRemoval } from "./command-file.ts";
import { isDesktopRunning } from "./desktop-running.ts";
import { unmergeFile } from "./json-file.ts";
import { activePlugin, installedBundle } from "./other-installs.ts";
import { type FileChange, isSame, type Plan } from "./plan.ts";
import { findClaude } from "./program.ts";
import { type InstallRecord, readRecord } from "./record.ts";
import { planUserServerRemoval, registrationPlaces } from "./registration.ts";
import { serverPlacement } from "./servers.ts";
import { guessPlaced, settingsRemovals } from "./settings.ts";
import type { Surroundings } from "./setup-context.ts";

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
      failures.push(errorMessage(error));
      return [];
    }
  };
  const claude = findClaude(system, places.home);
  const servers = registrationPlaces(record, surroundings).flatMap((place) =>
    attempt(() => [planUserServerRemoval(record, surroundings, claude, place)]),
  );
  const paths = [...record.files.map(({ path }) => path), ...usualPaths(surroundings)];
  const planned = byTarget(paths).flatMap((path) => attempt(() => planFile(record, path)));
  const changes = [...servers.flatMap((server) => server.changes), ...planned];
  const isDesktopConfig = changes.some(({ path }) => basename(path) === desktopConfigName);
  const isRunning = isDesktopConfig && (await isDesktopRunning(system, places.home));
  return {
    errands: servers.flatMap((server) => server.errands),
    changes,
    warnings: [
      ...(isRunning
        ? ["Claude Desktop is running, and may write relay's entry back. Quit it, then run: relay uninstall"]
        : []),
      ...planned
        .filter((change) => isSame(change) && change.after)
        .map(({ path, what }) => `${path} ${what}`),
      ...besides(surroundings),
    ],
    next: [
      ...servers.flatMap((server) => server.next),
      ...(system.kind === "wsl" ? ["On the Windows side, run: relay uninstall"] : []),
    ],
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
function usualPaths({ places }: Surroundings): string[] {
  const { claudeFolder, desktopFolders } = places;
  return [
    join(claudeFolder, "settings.json"),
    ...commandPaths(claudeFolder),
    ...desktopFolders.map((folder) => join(folder, desktopConfigName)),
  ];
}

// Two paths may lead to one file, through links.
function byTarget(paths: readonly string[]): string[] {
  const real = (path: string) => {
    try {
      return join(realpathSync(dirname(path)), basename(path));
    } catch {
      return path; // there is no such folder
    }
  };
  return [...new Map(paths.toReversed().map((path) => [real(path), path])).values()].toReversed();
}

const serverFiles = [desktopConfigName, ".mcp.json"];

function planFile(record: InstallRecord, path: string): FileChange[] {
  const what = "takes relay out";
  const change = !path.endsWith(".json")
    ? planCommandRemoval(record, path)
    : serverFiles.includes(basename(path))
      ? unmergeFile(record, path, [serverPlacement({ command: "relay", args: [] })], what)
      : unmergeFile(record, path, settingsRemovals(), what, guessPlaced);
  return change ? [change] : [];
}
