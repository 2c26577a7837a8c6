import { existsSync, fstatSync } from "node:fs";
import { homedir, release, tmpdir } from "node:os";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { RelayError } from "./errors.ts";

/** What relay knows of the Claude Code around it, from the variables Claude Code sets (facts.md, "Claude Code as a client"). */
export interface ClaudeCodeSigns {
  /** `CLAUDECODE=1`: started by Claude Code, or from a terminal inside an editor that Claude Code opened. */
  present: boolean;
  /** `CLAUDE_CODE_CHILD_SESSION=1`: a hook, an inline command or a Bash call. */
  childSession: boolean;
  /** A model started this Claude Code: one of the variables that only hooks, commands and Bash carry is set. */
  nested: boolean;
}

/** Which standard descriptors a person sits at. Each is looked at when it is asked for. */
export interface Terminal {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** The system around this process, as far as showing a notification needs it. */
export interface System {
  kind: "linux" | "wsl" | "macos" | "windows" | "other";
  /** The number of the user whose processes these are; 0 on Windows. */
  user: number;
  variables: Readonly<Record<string, string | undefined>>;
  /** The absolute path of a program, or `null`. Looks nowhere that the working directory could decide. */
  find(program: string): string | null;
  /** Whether there is a file of this absolute path. */
  exists(path: string): boolean;
}

/** Everything relay takes from its surroundings. No other module reads variables, terminals or well-known paths. */
export interface Environment {
  claudeCode: ClaudeCodeSigns;
  terminal: Terminal;
  /** Whether this descriptor may carry colour. */
  color(output: "stdout" | "stderr"): boolean;
  /** The absolute path of the buffer file. Throws a `buffer` error when there is no home, or `RELAY_DB` is relative. */
  bufferPath(): string;
  /** Whether notifications are wanted, by `RELAY_NOTIFY`. Throws `usage` if that is neither `auto` nor `off`. */
  notify(): boolean;
  system(): System;
}

/** Reads the process's environment. */
export function readEnvironment(variables: Record<string, string | undefined> = process.env): Environment {
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
  return {
    claudeCode: {
      present: variables.CLAUDECODE === "1",
      childSession: variables.CLAUDE_CODE_CHILD_SESSION === "1",
      nested:
        Boolean(variables.CLAUDE_PID) ||
        Boolean(variables.CLAUDE_CODE_CHILD_SESSION) ||
        variables.CLAUDE_CODE_SESSION_ATTENDED === "0",
    },
    terminal,
    color: (output) => !variables.NO_COLOR && variables.TERM !== "dumb" && terminal[output],
    bufferPath: () => bufferPath(variables.RELAY_DB),
    notify: () => isNotifyWanted(variables.RELAY_NOTIFY),
    system: () => readSystem(variables),
  };
}

/**
 * The variables a program started by relay may see: enough to run, nothing that tells of a Claude session.
 */
export function cleanEnvironment(variables: Record<string, string | undefined> = process.env) {
  const kept = ["PATH", "HOME", "USERPROFILE", "SystemRoot", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL"];
  return Object.fromEntries(kept.flatMap((name) => (variables[name] ? [[name, variables[name]]] : [])));
}

/** Where folders that only live for a moment are made. */
export function temporaryFolder(): string {
  return tmpdir();
}

function isNotifyWanted(value: string | undefined): boolean {
  if (!value || value === "auto") return true;
  if (value === "off") return false;
  throw new RelayError("usage", `RELAY_NOTIFY is "${value}"; it must be auto or off.`);
}

function readSystem(variables: Record<string, string | undefined>): System {
  return {
    kind: systemKind(),
    user: process.getuid?.() ?? 0,
    variables,
    find: (program) => Bun.which(program, { PATH: searchPath(variables.PATH) }),
    exists: existsSync,
  };
}

// It may have been removed.
function workingDirectory(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

function systemKind(): System["kind"] {
  if (process.platform === "win32") return "windows";
  if (process.platform === "darwin") return "macos";
  if (process.platform !== "linux") return "other";
  return /microsoft/i.test(release()) ? "wsl" : "linux"; // Microsoft's kernels say so
}

// A server is started in a directory that anybody may have filled, and often with a short PATH.
function searchPath(path = ""): string {
  const standard = ["/usr/local/bin", "/usr/bin", "/bin"];
  const here = workingDirectory();
  const chosen = path.split(delimiter).filter((entry) => isAbsolute(entry) && resolve(entry) !== here);
  return [...chosen, ...standard].join(delimiter);
}

// node:tty takes 2 ms to load, so it is asked only of what may be a terminal at all.
function isTerminal(descriptor: number): boolean {
  try {
    return (
      fstatSync(descriptor).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(descriptor)
    );
  } catch {
    return false; // closed
  }
}

// A relative path would mean another buffer in every directory, and messages that silently never arrive.
function bufferPath(chosen: string | undefined): string {
  if (chosen) {
    if (isAbsolute(chosen)) return chosen;
    throw new RelayError(
      "buffer",
      `RELAY_DB is "${chosen}", which is not an absolute path. Write it out from the root.`,
    );
  }
  const home = homedir();
  if (isAbsolute(home)) return join(home, ".relay_buffer.db");
  throw new RelayError(
    "buffer",
    "there is no home folder to keep the buffer in. Set HOME, or RELAY_DB to a file's absolute path.",
  );
}
