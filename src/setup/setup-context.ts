import { basename } from "node:path";
import { RelayError } from "../core/errors.ts";
import type { Places } from "../platform/paths.ts";
import type { System } from "../platform/system.ts";
import { wslEnv } from "../platform/wslenv.ts";
import { chosenBuffer } from "./chosen-buffer.ts";
import { isRelay, permissionRules, permissionRulesInWsl } from "./claude-code.ts";
import { stablePath } from "./program.ts";

/** What setup works in. */
export interface Surroundings {
  system: System;
  places: Places;
  /** The path of this binary. */
  executable: string;
  /** The working directory, which a registration for a project goes into. */
  folder: string;
  /** The buffer file, if the person chose one by `RELAY_DB`. */
  buffer: string | null;
}

/** The program that both Claudes are to start, the variables that it needs, and the rules that go with it. */
export interface Wiring {
  program: string;
  env: Record<string, string>;
  rules: ReturnType<typeof permissionRules>;
}

/**
 * How Claude Code is wired here. In WSL that is the Windows relay, because Claude Desktop is on the Windows side and one
 * SQLite file must not be shared across. Throws a `failed` error where the two Claudes could not meet.
 */
export function wiring(surroundings: Surroundings): Wiring {
  const { system, executable } = surroundings;
  const buffer = chosenBuffer(surroundings);
  const env = buffer ? { RELAY_DB: buffer } : {};
  if (!isAcrossWsl(surroundings)) {
    return { program: speakable(stablePath(executable, system)), env, rules: permissionRules(buffer) };
  }
  const program = windowsRelay(system);
  if (buffer && !buffer.startsWith("/mnt/")) {
    throw new RelayError(
      "failed",
      `RELAY_DB is ${buffer}, inside WSL, where the relay of Claude Desktop on Windows must not open it. Set it to a file below /mnt/c.`,
    );
  }
  return {
    program,
    env: { WSLENV: wslEnv(system.variables.WSLENV), ...env },
    rules: buffer ? permissionRules(buffer) : permissionRulesInWsl(),
  };
}

/** Whether Claude Code is in WSL, and Claude Desktop on the Windows side of it. */
export function isAcrossWsl({ system, places }: Pick<Surroundings, "system" | "places">): boolean {
  return system.kind === "wsl" && !places.desktopFolders.some(system.exists);
}

/** The Windows relay as WSL sees it. Throws a `failed` error that says why there has to be one. */
export function windowsRelay(system: System): string {
  const program = system.find("relay.exe");
  if (program) return speakable(program);
  throw new RelayError(
    "failed",
    "Claude Desktop runs on Windows and Claude Code here in WSL: a relay in each would have a buffer of its own, and they would never meet. Install relay on Windows, so that relay.exe is in PATH here, and run this again.",
  );
}

// The slot of a command ends at a backtick or a line's end, whatever quotes are around it; hooks and registrations are
// known as relay's by the program's name.
function speakable(program: string): string {
  const name = basename(program.replaceAll("\\", "/"));
  if (!isRelay(program)) {
    throw new RelayError("failed", `this program is called ${name}. Rename it to relay, and run that.`);
  }
  if (!/[`\n\r]/.test(program)) return program;
  throw new RelayError(
    "failed",
    `the path ${JSON.stringify(program)} has a backtick or a line break, which Claude Code cannot run. Move relay elsewhere.`,
  );
}
