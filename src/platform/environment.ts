import { existsSync, fstatSync } from "node:fs";
import { isAbsolute, join, sep } from "node:path";
import type { DatabaseSettings } from "../core/database-url.ts";
import { RelayError } from "../core/errors.ts";
import type { ClaudeCodeSigns, Terminal } from "../core/identity.ts";
import { type Ancestor, claudeVariables } from "../core/leaked-variables.ts";
import { historyDays } from "../core/limits.ts";
import { projectName } from "../core/project.ts";
import { readAncestors } from "./ancestors.ts";
import { bufferPath, databaseSettings } from "./buffer-choice.ts";
import type { Pager } from "./pager.ts";
import { type Places, placesOf } from "./paths.ts";
import { isRunning } from "./process.ts";
import { repositoryName } from "./repository.ts";
import { pickVariables, readSystem, type System } from "./system.ts";
import { isBlind, isInWsl } from "./wslenv.ts";

/** Everything that relay reads from its environment. No other module reads variables, terminals or well-known paths. */
export interface Environment {
  claudeCode: ClaudeCodeSigns;
  terminal: Terminal;
  /** Whether this output may have colour. */
  color(output: "stdout" | "stderr"): boolean;
  /** The size of the terminal at standard output, in characters. */
  screen(): { columns: number; rows: number };
  /** The person's pager, by `PAGER` and `LESS` as git has it; `null` if there is none. */
  pager(): Pager | null;
  /** The absolute path of the buffer file. Throws a `buffer` error when there is no home, or `RELAY_DB` is relative. */
  bufferPath(): string;
  /** The database that may take the place of the buffer file. */
  database(): DatabaseSettings;
  /** Whether notifications are wanted, by `RELAY_NOTIFY`. Throws `usage` if that is neither `auto` nor `off`. */
  notify(): boolean;
  system(): System;
  /** The paths of both Claudes' configuration. Throws a `failed` error without a home folder. */
  places(): Places;
  /** The folder of Claude Code's settings and commands; `null` without a home. */
  claudeFolder(): string | null;
  /** Days for the history, by `RELAY_HISTORY`; 0 if that is `off`. Throws `usage` if it is no number of days. */
  historyDays(): number;
  /** The name of Claude Code's project, that of its git repository; `null` if Claude Code did not tell it. */
  readonly project: string | null;
  /** The path of its folder; `null` if Claude Code did not tell it. */
  projectFolder: string | null;
  /** Whether a program around Claude Code answers its questions: one on its SDK, or a `claude -p` (facts.md). */
  isHosted: boolean;
  /** Whether this Claude Code is the extension of VS Code. */
  isVsCode: boolean;
  /** The folder of the plugin that started this process as a hook; `null` if none did. */
  pluginFolder: string | null;
}

/** Reads the process's environment. A `buffer` takes the place of `RELAY_DB`. */
export function readEnvironment(
  given: Record<string, string | undefined> = process.env,
  buffer: string | null = null,
): Environment {
  const variables = buffer === null ? given : { ...given, RELAY_DB: buffer };
  const terminal: Terminal = {
    get stdin() {
      return isTerminal(0);
    },
    get stdout() {
      return isTerminal(1);
    },
    get stderr() {
      return isTerminal(2);
    },
  };
  const projectFolder = variables.CLAUDE_PROJECT_DIR || null;
  const readProject = () => projectOf(projectFolder);
  let ancestors: Ancestor[] | null | undefined;
  const pid = /^\d+$/.test(variables.CLAUDE_PID ?? "") ? Number(variables.CLAUDE_PID) : null;
  return {
    claudeCode: {
      get ancestors() {
        if (ancestors === undefined) ancestors = readAncestors();
        return ancestors;
      },
      variables: claudeVariables.filter((name) => variables[name]),
      get process() {
        return pid === null ? null : { pid, runs: isRunning(pid) };
      },
      present: variables.CLAUDECODE === "1",
      childSession: variables.CLAUDE_CODE_CHILD_SESSION === "1",
      nested:
        Boolean(variables.CLAUDE_PID) ||
        Boolean(variables.CLAUDE_CODE_CHILD_SESSION) ||
        variables.CLAUDE_CODE_SESSION_ATTENDED === "0",
      unknown: process.platform === "win32" && isBlind(process.platform, process.cwd(), variables),
      attended: variables.CLAUDE_CODE_SESSION_ATTENDED === "1",
      session: readSession(variables.CLAUDE_CODE_SESSION_ID, pid, readProject),
    },
    terminal,
    color: (output) => !variables.NO_COLOR && variables.TERM !== "dumb" && terminal[output],
    screen: () => readScreen(variables),
    pager: () => readPager(variables),
    bufferPath: () => bufferPath(variables, homeFolder()),
    database: () => databaseSettings(variables, homeFolder()),
    notify: () => isNotifyWanted(variables.RELAY_NOTIFY),
    system: () => readSystem(variables, homeFolder() ?? sep),
    places: () => readPlaces(variables),
    claudeFolder: () => claudeFolder(variables.CLAUDE_CONFIG_DIR, variables.HOME),
    historyDays: () => readHistoryDays(variables.RELAY_HISTORY),
    get project() {
      return readProject();
    },
    projectFolder,
    isHosted: variables.CLAUDE_CODE_ENTRYPOINT?.startsWith("sdk-") ?? false,
    isVsCode: variables.CLAUDE_CODE_ENTRYPOINT === "claude-vscode",
    pluginFolder: variables.CLAUDE_PLUGIN_ROOT || null,
  };
}

function readScreen(variables: Record<string, string | undefined>): { columns: number; rows: number } {
  const { columns, rows } = process.stdout;
  return {
    columns: Math.max(20, Number(variables.COLUMNS) || columns || 80),
    rows: Number(variables.LINES) || rows || 24,
  };
}

function readPager(variables: Record<string, string | undefined>): Pager | null {
  const command = (variables.PAGER ?? "less").trim();
  const [program] = command.split(/\s+/, 1);
  if (!program || command === "cat" || variables.TERM === "dumb" || process.platform === "win32") return null;
  if (!Bun.which(program, { PATH: variables.PATH ?? "" })) return null;
  return { argv: ["/bin/sh", "-c", command], env: { ...variables, LESS: variables.LESS ?? "FRX" } };
}

/** The variables for a program that relay starts: enough to run, and none of a Claude session's. */
export function cleanEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "USERPROFILE", "SystemRoot", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL"];
  return pickVariables(process.env, kept);
}

/** The folder for temporary folders. */
export function temporaryFolder(): string {
  return process.getBuiltinModule("node:os").tmpdir();
}

function readSession(
  id: string | undefined,
  process: number | null,
  readProject: () => string | null,
): ClaudeCodeSigns["session"] {
  if (!id || process === null) return null;
  return {
    id,
    process,
    get project() {
      return readProject();
    },
  };
}

function projectOf(folder: string | null): string | null {
  return folder ? projectName(repositoryName(folder)) : null;
}

function readPlaces(variables: Record<string, string | undefined>): Places {
  const home = homeFolder();
  if (home && existsSync(`${home}/.`)) return placesOf(home, readSystem(variables, home));
  const problem = home ? `the home folder ${home} does not exist` : "there is no home folder";
  throw new RelayError("failed", problem, "Set HOME to the absolute path of yours.");
}

function claudeFolder(override: string | undefined, posixHome: string | undefined): string | null {
  if (override) return override;
  // a Windows relay that serves a Claude Code in WSL has a home of its own
  const home = posixHome && isInWsl(process.platform, posixHome) ? posixHome : homeFolder();
  return home && join(home, ".claude");
}

/** The person's home folder, by HOME or by the system's list of users; `null` if neither has it. */
function homeFolder(): string | null {
  try {
    // node:os takes half a millisecond to load
    const home = (process.platform !== "win32" && process.env.HOME) || process.getBuiltinModule("node:os").homedir();
    return isAbsolute(home) ? home : null;
  } catch {
    return null; // without HOME, the system may not know the user
  }
}

function isNotifyWanted(value: string | undefined): boolean {
  if (!value || value === "auto") return true;
  if (value === "off") return false;
  throw new RelayError("usage", `RELAY_NOTIFY is "${value}"`, "It must be auto or off.");
}

function readHistoryDays(value: string | undefined): number {
  if (!value) return historyDays;
  if (value === "off") return 0;
  if (/^\d{1,5}$/.test(value)) return Number(value);
  throw new RelayError("usage", `RELAY_HISTORY is "${value}"`, "It must be off or a number of days.");
}

// node:tty takes 2 ms to load, and every terminal is a character device.
function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(descriptor);
  } catch {
    return false; // closed
  }
}
