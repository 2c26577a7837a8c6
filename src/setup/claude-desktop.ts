import { join } from "node:path";
import { RelayError } from "../core/errors.ts";
import { desktopConfigName } from "../platform/paths.ts";
import { runProgram } from "../platform/process.ts";
import { wslEnv } from "../platform/wslenv.ts";
import { bufferFlag } from "./claude-code.ts";
import { isDesktopRunning } from "./desktop-running.ts";
import { installedBundle } from "./other-installs.ts";
import { type ExternalCommand, mergePlans, type Plan } from "./plan.ts";
import { readRecord } from "./record.ts";
import { planServerFile } from "./registration.ts";
import { bufferOverride, isAcrossWsl, launchOf, type SetupContext, windowsRelay } from "./setup-context.ts";

/** Connects Claude Desktop by an entry in each of its configurations. Throws a `failed` error. */
export async function planDesktop(context: SetupContext): Promise<Plan> {
  const { places } = context;
  if (isAcrossWsl(context)) return planFromWsl(context);
  const { program, buffer, serverEnv: env } = launchOf(context);
  const record = readRecord(places.installRecord);
  const entry = {
    command: program,
    args: ["--client", "desktop", ...bufferFlag(buffer)],
    ...(Object.keys(env).length > 0 && { env }),
  };
  const what = "registers the server in Claude Desktop";
  return mergePlans([
    ...desktopConfigs(context).map((path) => planServerFile(record, path, entry, what)),
    {
      warnings: [...(await runningWarning(context)), ...bundleWarnings(places.desktopFolders)],
      next: [
        restart,
        'Tell it once, so that a plain get works in every chat: "Remember: when I say get, call relay_fetch and show me what it brings."',
      ],
    },
  ]);
}

const restart = "Quit Claude Desktop and start it again.";

/** The configuration in each existing folder of Claude Desktop, or in the one that it would make. */
function desktopConfigs({ places, system }: SetupContext): string[] {
  const existing = places.desktopFolders.filter(system.exists);
  const folders = existing.length > 0 ? existing : places.desktopFolders.slice(0, 1);
  return folders.map((folder) => join(folder, desktopConfigName));
}

// Only the Windows relay knows the paths of Claude Desktop's files there.
async function planFromWsl(context: SetupContext): Promise<Plan> {
  const { system, places } = context;
  const relay = windowsRelay(system);
  const buffer = bufferOverride(context);
  const env = { ...system.variables, WSLENV: wslEnv(system.variables.WSLENV), ...(buffer && { RELAY_DB: buffer }) };
  const setUpDesktop = async (...args: string[]) => {
    const { failure, stdout } = await runProgram(
      { argv: [relay, "setup-desktop", ...args], env },
      { folder: places.home },
    );
    if (!failure) return stdout;
    throw new RelayError(
      "failed",
      `relay.exe could not set up Claude Desktop: it ${failure}`,
      "Run it in Windows: relay setup-desktop",
    );
  };
  const command: ExternalCommand = {
    argv: [relay, "setup-desktop"],
    what: "sets up Claude Desktop on the Windows side",
    run: async () => void (await setUpDesktop()),
  };
  const isDone = hasNoSteps(await setUpDesktop("--dry-run", "--json"));
  return mergePlans([{ commands: isDone ? [] : [command], next: [restart] }]);
}

function hasNoSteps(report: string): boolean {
  try {
    return JSON.parse(report).steps.length === 0;
  } catch {
    return false;
  }
}

async function runningWarning({ system, places }: SetupContext): Promise<string[]> {
  if (!(await isDesktopRunning(system, places.home))) return [];
  return [
    "Claude Desktop is running, and may write its configuration over this one. Quit it, then run: relay setup-desktop",
  ];
}

function bundleWarnings(folders: readonly string[]): string[] {
  if (!folders.some((folder) => installedBundle(folder))) return [];
  return [
    "relay's bundle is installed too, so Claude Desktop will have every tool twice. Remove it in Settings, Extensions.",
  ];
}
