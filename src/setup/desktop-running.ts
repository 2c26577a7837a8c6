import { readdirSync } from "node:fs";
import { readTextOrNull } from "../platform/files.ts";
import { runProgram } from "../platform/process.ts";
import type { System } from "../platform/system.ts";

/** Whether Claude Desktop runs, and so may overwrite a change of its configuration. */
export async function isDesktopRunning(system: System, home: string): Promise<boolean> {
  if (system.kind === "linux") return runsOnLinux();
  const query = queries[system.kind];
  const program = query && (system.find(query[0]) ?? query[0]);
  if (!program) return false;
  const { failure, stdout } = await runProgram(
    { argv: [program, ...query.slice(1)], env: system.variables },
    { folder: home },
  );
  return failure === null && stdout.trim() !== "";
}

// On Windows, Claude Code is a claude.exe too, so the folder decides.
const queries: Partial<Record<System["kind"], [string, ...string[]]>> = {
  macos: ["/usr/bin/pgrep", "-f", "/Claude\\.app/Contents/MacOS/Claude$"],
  windows: [
    "powershell.exe",
    "-NoProfile",
    "-NonInteractive",
    "-Command",
    "Get-Process claude -ErrorAction SilentlyContinue | Where-Object { $_.Path -match 'AnthropicClaude|WindowsApps\\\\Claude_' } | ForEach-Object { $_.Id }",
  ],
};

function runsOnLinux(): boolean {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => /(?:^|\/)claude-desktop(?:$|\.bin$)/.test(firstWord(pid)));
}

function firstWord(pid: string): string {
  return readTextOrNull(`/proc/${pid}/cmdline`)?.split("\0", 1)[0] ?? "";
}
