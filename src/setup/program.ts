import { dirname, join } from "node:path";
import { firstProtected, isProtected } from "../core/claude-version.ts";
import { RelayError } from "../core/errors.ts";
import { realPathOrNull } from "../platform/files.ts";
import { runProgram } from "../platform/process.ts";
import type { System } from "../platform/system.ts";
import { readJsonObject } from "./json-file.ts";

/**
 * The path under which a binary can still be found after an upgrade: the first one in PATH that leads to it, because the
 * file itself may lie in a folder of its version, which the next upgrade removes (facts.md, "Bun").
 */
export function stablePath(executable: string, system: Pick<System, "findAll">): string {
  const file = realPathOrNull(executable) ?? executable;
  return system.findAll("relay").find((path) => (realPathOrNull(path) ?? path) === file) ?? executable;
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

/** Whether only a shell can run it, which relay does not start: npm's `claude.cmd` on Windows. */
export function needsShell(claude: string): boolean {
  return /\.(?:cmd|bat|ps1)$/i.test(claude);
}

/**
 * The version of the Claude Code at this path. Throws a `failed` error if it is too old to protect its person, or does
 * not tell its version.
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
    `no package beside ${claude} tells its version`,
    "Install Claude Code's own claude.exe, and run this again.",
  );
}
