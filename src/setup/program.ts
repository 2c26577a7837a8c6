import { realpathSync } from "node:fs";
import { join } from "node:path";
import { firstProtected, isProtected } from "../claude-version.ts";
import { RelayError } from "../errors.ts";
import type { System } from "../system.ts";
import { runProgram } from "./run.ts";

/**
 * The path under which a binary goes on being found: the first one in PATH that leads to it, because the file itself may
 * lie in a folder of its version, which the next upgrade takes away (facts.md, "Bun").
 */
export function stablePath(executable: string, system: Pick<System, "findAll">): string {
  const file = realPath(executable);
  return system.findAll("relay").find((path) => realPath(path) === file) ?? executable;
}

/** The program of Claude Code; `null` if it is not installed. Never one that the working directory could decide. */
export function findClaude(system: System, home: string): string | null {
  if (system.kind === "windows") {
    const own = join(home, ".local/bin/claude.exe");
    return system.find("claude.exe") ?? (system.exists(own) ? own : system.find("claude"));
  }
  const places = [".local/bin/claude", ".claude/local/claude"].map((path) => join(home, path));
  return system.find("claude") ?? [...places, "/opt/homebrew/bin/claude"].find(system.exists) ?? null;
}

/** The version of the Claude Code at this path. Throws a `failed` error if it is too old to protect anybody, or says none. */
export async function claudeVersion(program: string, system: System, home: string): Promise<string> {
  const { stdout, failure } = await runProgram([program, "--version"], system, home);
  const version = /^\d+\.\d+\.\d+/.exec(stdout.trim())?.[0];
  if (!version)
    throw new RelayError(
      "failed",
      `${program} --version does not answer with a version${failure ? ` (${failure})` : ""}. Mend or update Claude Code, and run this again.`,
    );
  if (isProtected(version)) return version;
  throw new RelayError(
    "failed",
    `Claude Code ${version} would let a model read messages by itself; relay needs ${firstProtected} or newer. Run: claude update`,
  );
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
