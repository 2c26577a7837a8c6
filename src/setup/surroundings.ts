import { RelayError } from "../errors.ts";
import type { Places } from "../places.ts";
import type { System } from "../system.ts";
import { wslEnv } from "../wsl.ts";
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

/** The program that both Claudes are to start, and the variables that it needs besides. */
export interface Wiring {
  program: string;
  env: Record<string, string>;
}

/**
 * How Claude Code is wired here. In WSL that is the Windows relay, because Claude Desktop is on the Windows side and one
 * SQLite file must not be shared across. Throws a `failed` error where the two Claudes could not meet.
 */
export function wiring({ system, places, executable, buffer }: Surroundings): Wiring {
  if (system.kind !== "wsl" || places.desktopFolders.some(system.exists)) {
    const program = speakable(stablePath(executable, system));
    return { program, env: buffer ? { RELAY_DB: buffer } : {} };
  }
  const program = windowsRelay(system);
  if (buffer && !buffer.startsWith("/mnt/")) {
    throw new RelayError(
      "failed",
      `RELAY_DB is ${buffer}, inside WSL, where the relay of Claude Desktop on Windows must not open it. Set it to a file below /mnt/c.`,
    );
  }
  return { program, env: { WSLENV: wslEnv(system.variables.WSLENV), ...(buffer && { RELAY_DB: buffer }) } };
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

// The slot of a command ends at a backtick or a line's end, whatever quotes are around it.
function speakable(program: string): string {
  if (!/[`\n\r]/.test(program)) return program;
  throw new RelayError(
    "failed",
    `the path ${JSON.stringify(program)} has a backtick or a line break, which Claude Code cannot run. Move relay elsewhere.`,
  );
}
