import { readdirSync } from "node:fs";
import { readTextOrNull } from "../platform/files.ts";
import { runProgram } from "../platform/process.ts";
import type { System } from "../platform/system.ts";

/** Whether Claude Desktop runs, and may write its configuration over a change of another program. */
export async function isDesktopRunning(system: System, home: string): Promise<boolean> {
  if (system.kind === "linux") return runsOnLinux();
  const question = questions[system.kind];
  const program = question && (system.find(question[0]) ?? question[0]);
  if (!program) return false;
  const { failure, stdout } = await runProgram(
    { argv: [program, ...question.slice(1)], env: system.variables },
    { folder: home },
  );
  return failure === null && stdout.trim() !== "";
}

// Claude Code is a claude.exe too, so on Windows the folder decides.
const questions: Partial<Record<System["kind"], [string, ...string[]]>> = {
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
