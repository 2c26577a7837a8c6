import { basename, join } from "node:path";
import { RelayError } from "../core/errors.ts";
import { desktopConfigName, type Places } from "../platform/paths.ts";
import type { System } from "../platform/system.ts";
import { wslEnv } from "../platform/wslenv.ts";
import { probeBuffer } from "../store/probe.ts";
import { isRelay, permissionRules, permissionRulesInWsl } from "./claude-code.ts";
import { readJson } from "./json-file.ts";
import type { Path } from "./json-text.ts";
import { stablePath } from "./program.ts";
import { bufferOf } from "./servers.ts";

/** The machine, the person's folders and this process, as setup needs them. */
export interface SetupContext {
  system: System;
  places: Places;
  /** The path of this binary. */
  executable: string;
  /** The working directory, for a project's registration. */
  folder: string;
  /** The buffer file, if the person chose one by `RELAY_DB`. */
  buffer: string | null;
}

/** The program that a Claude starts, its buffer and variables, and the permission rules for it. */
export interface Launch {
  program: string;
  /** The buffer for its arguments; `null` for the Windows relay in WSL, whose paths are of another system. */
  buffer: string | null;
  /** The variables of Claude Code's processes. */
  env: Record<string, string>;
  /** The variables of the servers. */
  serverEnv: Record<string, string>;
  rules: ReturnType<typeof permissionRules>;
}

/**
 * The launch of relay. In WSL that is the Windows relay, because Claude Desktop is on the Windows side and the two systems
 * must not share an SQLite file. Throws a `failed` error if the two Claudes would use different buffers, and
 * a `buffer` error if there cannot be one.
 */
export function launchOf(context: SetupContext): Launch {
  const { system, executable } = context;
  const buffer = bufferOverride(context);
  const env = buffer ? { RELAY_DB: buffer } : {};
  if (!isAcrossWsl(context)) {
    const path = checkedPath(buffer ?? context.places.defaultBufferPath);
    probeBuffer(path);
    const program = checkedPath(checkedProgram(stablePath(executable, system)));
    return { program, buffer: path, env, serverEnv: {}, rules: permissionRules(buffer) };
  }
  const program = windowsRelay(system);
  if (buffer && !buffer.startsWith("/mnt/")) {
    throw new RelayError(
      "failed",
      `RELAY_DB is ${buffer}, inside WSL, where the relay of Claude Desktop on Windows must not open it`,
      "Set it to a file below /mnt/c.",
    );
  }
  const variables = { WSLENV: wslEnv(system.variables.WSLENV), ...env };
  return {
    program,
    buffer: null,
    env: variables,
    serverEnv: variables,
    rules: buffer ? permissionRules(buffer) : permissionRulesInWsl(),
  };
}

/**
 * The buffer file for both Claudes, if it is not the default one: from `RELAY_DB`, else from their registrations, so that
 * a second setup keeps the waiting messages. Throws a `failed` error if the registrations name different files.
 */
export function bufferOverride({ buffer, places }: Pick<SetupContext, "buffer" | "places">): string | null {
  const custom = (path: unknown) => typeof path === "string" && path !== places.defaultBufferPath;
  if (buffer) return custom(buffer) ? buffer : null;
  const entry: Path = ["mcpServers", "relay"];
  const found = [
    bufferOf(valueIn(places.claudeConfig, entry)),
    valueIn(join(places.claudeFolder, "settings.json"), ["env", "RELAY_DB"]),
    ...places.desktopFolders.map((folder) => bufferOf(valueIn(join(folder, desktopConfigName), entry))),
  ];
  const [first, ...others] = new Set(found.filter(custom) as string[]);
  if (others.length === 0) return first ?? null;
  throw new RelayError(
    "failed",
    `the two Claudes are set up with different buffers, ${first} and ${others[0]}`,
    "Set RELAY_DB to the one to keep, and run this again.",
  );
}

// Setup reports an error in a file where it changes the file.
function valueIn(path: string, at: Path): unknown {
  try {
    return readJson(path).at(at);
  } catch {
    return undefined;
  }
}

/** Whether Claude Code is in WSL, and Claude Desktop on the Windows side of it. */
export function isAcrossWsl({ system, places }: Pick<SetupContext, "system" | "places">): boolean {
  return system.kind === "wsl" && !places.desktopFolders.some(system.exists);
}

/** The Windows relay as WSL sees it. Throws a `failed` error that says why there has to be one. */
export function windowsRelay(system: System): string {
  const program = system.find("relay.exe");
  if (program) return checkedPath(checkedProgram(program));
  throw new RelayError(
    "failed",
    "Claude Desktop runs on Windows and Claude Code here in WSL, so two relays would use two buffers and messages would never arrive",
    "Install relay on Windows, so that relay.exe is in PATH here, and run this again.",
  );
}

// Uninstall recognizes hooks and registrations by the program's name.
function checkedProgram(program: string): string {
  const name = basename(program.replaceAll("\\", "/"));
  if (!isRelay(program)) {
    throw new RelayError("failed", `this program is called ${name}`, "Rename it to relay, and run that.");
  }
  return program;
}

// A command's slot ends at a backtick or a line end, even between quotes.
function checkedPath(path: string): string {
  if (!/[`\n\r]/.test(path)) return path;
  throw new RelayError(
    "failed",
    `the path ${JSON.stringify(path)} has a backtick or a line break, which Claude Code cannot run`,
    "Move it to another folder.",
  );
}
