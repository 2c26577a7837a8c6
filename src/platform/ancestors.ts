import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Ancestor } from "../core/leaked-variables.ts";

// Far deeper than people's processes stand.
const deepest = 64;

interface Process extends Ancestor {
  parent: number;
  /** It runs the same file as this process. */
  isRelay: boolean;
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

function walk(read: (pid: number) => Process | null, argumentsOf: (pid: number) => string[]): Ancestor[] | null {
  const ancestors: Process[] = [];
  for (let pid = process.ppid; pid > 0 && ancestors.length < deepest; ) {
    const found = read(pid);
    if (!found) break;
    // the demo starts servers over a buffer of its own, also for a model
    if (ancestors.length === 0 && found.isRelay && argumentsOf(pid).at(1) === "demo") return [];
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
  const variables = attempt(() => readFileSync(`/proc/${pid}/environ`, "latin1")) ?? "";
  return {
    pid,
    parent: Number(stat.slice(end + 4).split(" ", 1)[0]),
    name: stat.slice(stat.indexOf("(") + 1, end),
    isRelay: program === process.execPath,
    isClaudeCode: isClaudeCode(program.replace(/ \(deleted\)$/, "")), // by an update
    childSession: `\0${variables}`.includes("\0CLAUDE_CODE_CHILD_SESSION=1\0"),
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
      isRelay: basename(program) === basename(process.execPath),
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
  return byName && !existsSync(join(dirname(program), "resources/app.asar"));
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
