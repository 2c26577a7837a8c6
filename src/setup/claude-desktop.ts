import { join } from "node:path";
import { RelayError } from "../core/errors.ts";
import { desktopConfigName } from "../platform/paths.ts";
import { runProgram } from "../platform/process.ts";
import { wslEnv } from "../platform/wslenv.ts";
import { bufferFlag, filesFlag } from "./claude-code.ts";
import { isDesktopRunning } from "./desktop-running.ts";
import { objectIn, readJsonObject } from "./json-file.ts";
import { installedBundle } from "./other-installs.ts";
import { type ExternalCommand, type Line, mergePlans, type Plan, problems, type Step } from "./plan.ts";
import { readRecord } from "./record.ts";
import { planServerFile } from "./registration.ts";
import { allowedIn } from "./servers.ts";
import { bufferOverride, isAcrossWsl, launchOf, type SetupContext, windowsRelay } from "./setup-context.ts";

/** Options of Claude Desktop's setup. */
export interface DesktopOptions {
  /** The absolute folders from which its model may send files, or `off`; none to leave that as it is. */
  allowFiles?: readonly string[];
}

/** Connects Claude Desktop by an entry in each of its configurations. Throws a `failed` error. */
export async function planDesktop(context: SetupContext, { allowFiles = [] }: DesktopOptions = {}): Promise<Plan> {
  const { places } = context;
  if (isAcrossWsl(context)) return planFromWsl(context, allowFiles);
  const { program, buffer, serverEnv: env } = launchOf(context);
  const record = readRecord(places.installRecord);
  const entry = {
    command: program,
    args: ["--client", "desktop", ...allowFiles.flatMap((folder) => [filesFlag, folder]), ...bufferFlag(buffer)],
    ...(Object.keys(env).length > 0 && { env }),
  };
  const step: Step = {
    section,
    mark: "+",
    what: "registers the server in Claude Desktop",
    done: ["registered the server"],
  };
  return mergePlans([
    ...desktopConfigs(context).map((path) => planServerFile(record, path, entry, step)),
    {
      lines: problems(section, [...(await runningWarning(context)), ...bundleWarnings(places.desktopFolders)]),
      next: [restart, tell],
    },
  ]);
}

const section = "Claude Desktop";

const restart = "Quit Claude Desktop and start it again.";

const tell =
  'Tell Claude Desktop once: "Remember: when I say get, call relay_fetch and show me what it brings." Then a plain get works in every chat.';

/** The configuration in each existing folder of Claude Desktop, or in the one that it would make. */
function desktopConfigs({ places, system }: SetupContext): string[] {
  const existing = places.desktopFolders.filter(system.exists);
  const folders = existing.length > 0 ? existing : places.desktopFolders.slice(0, 1);
  return folders.map((folder) => join(folder, desktopConfigName));
}

/** The folder that setup asks for, if the person has one and did not say yet what Desktop's model may send. */
export function filesOffer(context: SetupContext): string | null {
  const folder = join(context.places.home, "Downloads");
  const entries = desktopConfigs(context).map((path) => objectIn(readJsonObject(path).mcpServers).relay);
  const isDecided = entries.some((entry) => allowedIn(entry).length > 0);
  return isDecided || isAcrossWsl(context) || !context.system.exists(folder) ? null : folder;
}

// Only the Windows relay knows the paths of Claude Desktop's files there.
async function planFromWsl(context: SetupContext, allowFiles: readonly string[]): Promise<Plan> {
  const { system, places } = context;
  if (allowFiles.length > 0) {
    const fix = `There, run: relay setup-desktop ${filesFlag} DIR`;
    throw new RelayError("failed", "Claude Desktop and its folders are on the Windows side", fix);
  }
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
    section,
    mark: "+",
    what: "sets up Claude Desktop on the Windows side",
    done: ["set up Claude Desktop on the Windows side"],
    argv: [relay, "setup-desktop"],
    run: async () => void (await setUpDesktop()),
  };
  const isDone = hasNoSteps(await setUpDesktop("--dry-run", "--json"));
  const done: Line = { section, mark: "✓", text: "is set up on the Windows side" };
  return mergePlans([isDone ? { lines: [done] } : { commands: [command] }, { next: [restart] }]);
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
