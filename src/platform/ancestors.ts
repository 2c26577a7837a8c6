import { existsSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Ancestor } from "../core/leaked-variables.ts";

interface Process extends Ancestor {
  parent: number;
}

/**
 * The processes above this one, its parent first; `null` where the system does not tell them. Linux tells them in `/proc`,
 * in a fraction of a millisecond; macOS through `ps`, without their variables; Windows not at all.
 */
export function readAncestors(): Ancestor[] | null {
  if (process.platform === "linux") return walk(readProcess, readArguments);
  if (process.platform !== "darwin") return null;
  const table = processTable(ps("-axo", "pid=,ppid=,comm="));
  return walk(
    (pid) => table.get(pid) ?? null,
    (pid) => ps("-p", `${pid}`, "-o", "args=").trim().split(" "),
  );
}

function ps(...args: string[]): string {
  return Bun.spawnSync(["/bin/ps", ...args]).stdout.toString();
}

// To the top, because a model can start a thousand shells within each other.
function walk(read: (pid: number) => Process | null, argumentsOf: (pid: number) => string[]): Ancestor[] | null {
  const ancestors: Process[] = [];
  for (let pid = process.ppid; pid > 0; ) {
    const found = read(pid);
    if (!found) break;
    if (found.isClaudeCode && isSupervisor(argumentsOf(pid))) found.isClaudeCode = false;
    ancestors.push(found);
    pid = found.parent;
  }
  return ancestors.length > 0 ? ancestors : null; // there may be no /proc
}

// A process of another user tells its parent and its name only.
function readProcess(pid: number): Process | null {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (!stat) return null;
  const end = stat.lastIndexOf(")"); // a name may hold any character
  const program = attempt(() => readlinkSync(`/proc/${pid}/exe`)) ?? "";
  return {
    pid,
    parent: Number(stat.slice(end + 4).split(" ", 1)[0]),
    name: stat.slice(stat.indexOf("(") + 1, end),
    isClaudeCode: isClaudeCode(program.replace(/ \(deleted\)$/, "")), // by an update
    get childSession() {
      const variables = attempt(() => readFileSync(`/proc/${pid}/environ`, "latin1")) ?? "";
      return `\0${variables}`.includes("\0CLAUDE_CODE_CHILD_SESSION=1\0");
    },
  };
}

function readArguments(pid: number): string[] {
  return (attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "").split("\0");
}

/** The processes in the output of `ps -axo pid=,ppid=,comm=`. */
function processTable(text: string): Map<number, Process> {
  const rows = [...text.matchAll(/^ *(\d+) +(\d+) +(.*)$/gm)].map(([, pid, parent, program = ""]) => {
    return {
      pid: Number(pid),
      parent: Number(parent),
      name: basename(program),
      isClaudeCode: isClaudeCode(`/${program}`), // a program from PATH has no folder
      childSession: false,
    };
  });
  return new Map(rows.map((row) => [row.pid, row]));
}

/**
 * Whether a program is Claude Code, by its file: `claude` (`claude.exe` from npm, `.claude-wrapped` in Nix), or
 * `claude/versions/2.1.330` of its own installer. Never by the name of the process: a person's script `claude` that starts
 * it has that, too. Claude Desktop on Linux is an Electron app.
 */
function isClaudeCode(program: string): boolean {
  const byName = /\/(?:\.?claude(?:-code)?(?:\.exe|-(?:un)?wrapped)?|claude\/versions\/[^/]+)$/.test(program);
  return byName && !isElectron(dirname(program));
}

// In a folder of the person's, a model could make Claude Code look like it.
function isElectron(folder: string): boolean {
  return existsSync(join(folder, "resources/app.asar")) && statSync(folder).uid !== process.getuid?.();
}

/** The time at which a process started, in milliseconds since 1970, give or take a hundredth of a second; `null` where the system does not tell. */
export function startOf(pid: number): number | null {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  const uptime = attempt(() => readFileSync("/proc/uptime", "latin1"));
  if (!stat || !uptime) return null;
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]); // hundredths of a second since the boot, proc(5)
  const started = Date.now() - Number.parseFloat(uptime) * 1_000 + ticks * 10;
  return started <= Date.now() ? started : null; // a container may have an uptime of its own
}

/** The working directory of a process; `null` where the system does not tell. */
export function folderOf(pid: number): string | null {
  return attempt(() => readlinkSync(`/proc/${pid}/cwd`));
}

/** Whether these are the arguments of a Claude Code that only starts and shows the sessions of `claude agents` (facts.md). */
function isSupervisor(args: string[]): boolean {
  return args.slice(1, 3).join(" ") === "daemon run" || args.slice(1, 3).includes("--bg-pty-host");
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
