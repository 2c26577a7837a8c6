import { dirname, join } from "node:path";
import { firstProtected, firstWithHooks, isProtected } from "../core/claude-version.ts";
import { RelayError } from "../core/errors.ts";
import { realPathOrNull } from "../platform/files.ts";
import { runProgram } from "../platform/process.ts";
import type { System } from "../platform/system.ts";
import { readJsonObject } from "./json-file.ts";

/**
 * A path of a binary that stays after an upgrade: the first one in PATH that leads to it. The file itself may be in a
 * folder for its version, which the next upgrade removes (facts.md, "Bun").
 */
export function stablePath(executable: string, system: Pick<System, "findAll">): string {
  const file = realPathOrNull(executable) ?? executable;
  return system.findAll("relay").find((path) => (realPathOrNull(path) ?? path) === file) ?? executable;
}

/** The program of Claude Code, never one from the working directory; `null` if it is not installed. */
export function findClaude(system: System, home: string): string | null {
  if (system.kind === "windows") {
    const installed = join(home, ".local/bin/claude.exe");
    return system.find("claude.exe") ?? (system.exists(installed) ? installed : system.find("claude"));
  }
  const places = [".local/bin/claude", ".claude/local/claude"].map((path) => join(home, path));
  return system.find("claude") ?? [...places, "/opt/homebrew/bin/claude"].find(system.exists) ?? null;
}

/** The other programs of Claude Code in PATH that would ignore a settings file with relay's hooks. */
export async function claudesWithoutHooks(claude: string, system: System, home: string): Promise<string[]> {
  const others = system.findAll("claude").filter((path) => realPathOrNull(path) !== realPathOrNull(claude));
  const versions = await Promise.all(others.map((path) => statedVersion(path, system, home).catch(() => null)));
  return others.filter((_, index) => Bun.semver.order(versions[index] ?? firstWithHooks, firstWithHooks) < 0);
}

/** Whether only a shell can run it, as npm's `claude.cmd` on Windows. relay starts no shell. */
export function needsShell(claude: string): boolean {
  return /\.(?:cmd|bat|ps1)$/i.test(claude);
}

/**
 * The version of the Claude Code at this path. Throws a `failed` error for one that is too old to protect its person, and
 * for one without a version.
 */
export async function protectedVersion(claude: string, system: System, home: string): Promise<string> {
  const version = needsShell(claude) ? packagedVersion(claude) : await statedVersion(claude, system, home);
  if (isProtected(version)) return version;
  throw new RelayError(
    "failed",
    `Claude Code ${version} would let a model read messages by itself; relay needs ${firstProtected} or newer`,
    "Run: claude update",
  );
}

async function statedVersion(claude: string, system: System, home: string): Promise<string> {
  const { stdout, failure } = await runProgram(
    { argv: [claude, "--version"], env: system.variables },
    { folder: home },
  );
  const version = /^\d+\.\d+\.\d+/.exec(stdout.trim())?.[0];
  if (version) return version;
  throw new RelayError(
    "failed",
    `${claude} --version does not answer with a version${failure ? ` (it ${failure})` : ""}`,
    "Fix or update Claude Code, and run this again.",
  );
}

// npm keeps the package beside the script that starts it.
function packagedVersion(claude: string): string {
  const path = join(dirname(claude), "node_modules/@anthropic-ai/claude-code/package.json");
  const { version } = readJsonObject(path);
  if (typeof version === "string") return version;
  throw new RelayError(
    "failed",
    `${claude} has no package beside it that names its version`,
    "Install Claude Code's own claude.exe, and run this again.",
  );
}
