import { basename, join } from "node:path";
import { sentence } from "../errors.ts";
import { planCommandRemoval } from "./command-file.ts";
import { desktopConfigName } from "./desktop-plan.ts";
import { isDesktopRunning } from "./desktop-running.ts";
import { unmergeFile } from "./json-file.ts";
import type { FileChange, Plan } from "./plan.ts";
import { findClaude } from "./program.ts";
import { type InstallRecord, readRecord } from "./record.ts";
import { planUserServerRemoval } from "./registration.ts";
import { serverPlacement } from "./servers.ts";
import { guessPlaced, settingsRemovals } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

/** What uninstall is going to do, and what it has to leave alone. */
export interface Removal extends Plan {
  /** Why parts of relay stay where they are, a sentence each. */
  failures: string[];
}

/** What takes out all that setup put in, here and wherever else the record says. Throws a `failed` error without a record that can be read. */
export async function planRemoval(surroundings: Surroundings): Promise<Removal> {
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
  const errands = attempt(() => (claude ? planUserServerRemoval(surroundings, claude) : []));
  // without a Claude Code there is nobody who would write this file at the same time
  const own = claude ? [] : [places.claudeConfig];
  const paths = new Set([...record.files.map(({ path }) => path), ...own, ...usualPaths(surroundings)]);
  const changes = [...paths].flatMap((path) => attempt(() => planFile(record, path)));
  const commands = attempt(() => planCommandRemoval(record, places.claudeFolder));
  const running =
    changes.some(({ path }) => basename(path) === desktopConfigName) &&
    (await isDesktopRunning(system, places.home));
  return {
    errands,
    changes: uniquePaths([...changes, ...commands]),
    warnings: running
      ? ["Claude Desktop is running, and may write relay's entry back. Quit it, then run: relay uninstall"]
      : [],
    next: system.kind === "wsl" ? ["On the Windows side, run: relay uninstall"] : [],
    failures,
  };
}

function usualPaths({ places }: Surroundings): string[] {
  const desktop = places.desktopFolders.map((folder) => join(folder, desktopConfigName));
  return [join(places.claudeFolder, "settings.json"), ...desktop];
}

const serverFiles = [desktopConfigName, ".mcp.json", ".claude.json"];

function planFile(record: InstallRecord, path: string): FileChange[] {
  const isJson = path.endsWith(".json");
  if (!isJson) return planCommandRemoval(record, join(path, "../.."));
  const change = serverFiles.includes(basename(path))
    ? unmergeFile(record, path, [serverPlacement({ command: "relay", args: [] })], "takes relay out")
    : unmergeFile(record, path, settingsRemovals(), "takes relay out", guessPlaced);
  return change ? [change] : [];
}

function uniquePaths(changes: readonly FileChange[]): FileChange[] {
  return [...new Map(changes.map((change) => [change.path, change])).values()];
}
