import { join } from "node:path";
import { RelayError } from "../core/errors.ts";
import { runProgram } from "../platform/process.ts";
import { wslEnv } from "../platform/wslenv.ts";
import { chosenBuffer, desktopConfigName } from "./chosen-buffer.ts";
import { isDesktopRunning } from "./desktop-running.ts";
import { mergeFile } from "./json-file.ts";
import { installedBundle } from "./other-installs.ts";
import type { Errand, Plan } from "./plan.ts";
import { readRecord } from "./record.ts";
import { checkedPlacement } from "./registration.ts";
import { isAcrossWsl, type Surroundings, windowsRelay, wiring } from "./setup-context.ts";

/** The configurations of Claude Desktop that are there; the one that it would make if there is none. */
function desktopConfigs({ places, system }: Pick<Surroundings, "places" | "system">): string[] {
  const { desktopFolders } = places;
  const all = desktopFolders.map((folder) => join(folder, desktopConfigName));
  const there = all.filter(system.exists);
  if (there.length > 0) return there;
  const folder = desktopFolders.find(system.exists) ?? desktopFolders[0];
  return folder ? [join(folder, desktopConfigName)] : [];
}

/**
 * What setting up Claude Desktop takes: an entry in each of its configurations. Throws a `failed` error if it cannot be
 * done; nothing was changed then.
 */
export async function planDesktop(surroundings: Surroundings): Promise<Plan> {
  const { places } = surroundings;
  if (isAcrossWsl(surroundings)) return planFromWsl(surroundings);
  const { program, env } = wiring(surroundings);
  const record = readRecord(places.installRecord);
  const entry = {
    command: program,
    args: ["--client", "desktop"],
    ...(Object.keys(env).length > 0 && { env }),
  };
  const changes = desktopConfigs(surroundings).map((path) =>
    mergeFile(
      record,
      path,
      (json) => [checkedPlacement(json.at(["mcpServers", "relay"]), path, entry)],
      "registers the server in Claude Desktop",
    ),
  );
  return {
    errands: [],
    failures: [],
    changes: changes.filter((change) => change !== null),
    warnings: [...(await runningWarning(surroundings)), ...bundleWarnings(places.desktopFolders)],
    next: [
      "Quit Claude Desktop and start it again.",
      'Tell it once, so that a plain get works in every chat: "Remember: when I say get, call relay_fetch and show me what it brings."',
    ],
  };
}

// Only Windows knows where its Desktop's files are, and only the Windows relay may write them.
async function planFromWsl(surroundings: Surroundings): Promise<Plan> {
  const { system, places } = surroundings;
  const relay = windowsRelay(system);
  const buffer = chosenBuffer(surroundings);
  const env = {
    ...system.variables,
    WSLENV: wslEnv(system.variables.WSLENV),
    ...(buffer && { RELAY_DB: buffer }),
  };
  const ask = async (...args: string[]) => {
    const { failure, stdout } = await runProgram(
      { argv: [relay, "setup-desktop", ...args], env },
      { folder: places.home },
    );
    if (!failure) return stdout;
    throw new RelayError(
      "failed",
      `relay.exe could not set up Claude Desktop: it ${failure}. Run it in Windows: relay setup-desktop`,
    );
  };
  const errand: Errand = {
    argv: [relay, "setup-desktop"],
    what: "sets up Claude Desktop on the Windows side",
    run: async () => void (await ask()),
  };
  const isDone = hasNoSteps(await ask("--dry-run", "--json"));
  return {
    errands: isDone ? [] : [errand],
    changes: [],
    warnings: [],
    next: ["Quit Claude Desktop and start it again."],
    failures: [],
  };
}

function hasNoSteps(report: string): boolean {
  try {
    return JSON.parse(report).steps.length === 0;
  } catch {
    return false;
  }
}

async function runningWarning({ system, places }: Surroundings): Promise<string[]> {
  if (!(await isDesktopRunning(system, places.home))) return [];
  return [
    "Claude Desktop is running, and may write its configuration over this one. Quit it, then run: relay setup-desktop",
  ];
}

function bundleWarnings(folders: readonly string[]): string[] {
  return folders.some((folder) => installedBundle(folder))
    ? [
        "relay's bundle is installed too, so Claude Desktop will have every tool twice. Remove it in Settings, Extensions.",
      ]
    : [];
}
