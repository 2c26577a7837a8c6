import { join } from "node:path";
import { RelayError } from "../errors.ts";
import { installedBundle } from "./beside.ts";
import { isDesktopRunning } from "./desktop-running.ts";
import { mergeFile } from "./json-file.ts";
import type { Plan } from "./plan.ts";
import { readRecord } from "./record.ts";
import { checkedPlacement } from "./registration.ts";
import { runProgram } from "./run.ts";
import { type Surroundings, windowsRelay, wiring } from "./surroundings.ts";

/** Claude Desktop's own configuration, in each of its folders. */
export const desktopConfigName = "claude_desktop_config.json";

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
  const { system, places } = surroundings;
  if (system.kind === "wsl" && !places.desktopFolders.some(system.exists)) return planFromWsl(surroundings);
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
    changes: changes.filter((change) => change !== null),
    warnings: [...(await runningWarning(surroundings)), ...bundleWarnings(places.desktopFolders)],
    next: [
      "Quit Claude Desktop and start it again.",
      'Tell it once, so that a plain get works in every chat: "Remember: when I say get, call relay_fetch and show me what it brings."',
    ],
  };
}

// Only Windows knows where its Desktop's files are, and only the Windows relay may write them.
function planFromWsl({ system, places }: Surroundings): Plan {
  const argv = [windowsRelay(system), "setup-desktop"];
  const run = async () => {
    const { failure } = await runProgram(argv, system, places.home);
    if (failure)
      throw new RelayError(
        "failed",
        `relay.exe could not set up Claude Desktop: ${failure}. Run it in Windows: relay setup-desktop`,
      );
  };
  return {
    errands: [{ argv, what: "sets up Claude Desktop on the Windows side", run }],
    changes: [],
    warnings: [],
    next: ["Quit Claude Desktop and start it again."],
  };
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
