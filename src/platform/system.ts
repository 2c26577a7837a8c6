import { existsSync } from "node:fs";
import { delimiter, isAbsolute, relative, sep } from "node:path";
import { realPathOrNull } from "./files.ts";

/** The operating system around this process, its user and its programs. */
export interface System {
  kind: "linux" | "wsl" | "macos" | "windows" | "other";
  /** The number of this process's user; 0 on Windows. */
  user: number;
  variables: Readonly<Record<string, string | undefined>>;
  /** The absolute path of a program, or `null`. Skips folders of PATH that depend on the working directory. */
  find(program: string): string | null;
  /** The absolute path of a program in the system's own folders, which no project's PATH precedes, else as by `find`. */
  findSystem(program: string): string | null;
  /** The absolute paths of all programs of this name, in the order of PATH, with the rules of `find`. */
  findAll(program: string): string[];
  /** Whether there is a file of this absolute path. */
  exists(path: string): boolean;
}

/** The system of a process with these variables and this home folder. */
export function readSystem(variables: System["variables"], home: string): System {
  const find = (program: string, path: string) => Bun.which(program, { PATH: path });
  const findInPath = (program: string) => find(program, searchPath(home, variables.PATH).join(delimiter));
  return {
    kind: systemKind(process.platform, variables, existsSync),
    user: process.getuid?.() ?? 0,
    variables,
    find: findInPath,
    findSystem: (program) => find(program, systemFolders.join(delimiter)) ?? findInPath(program),
    findAll(program) {
      const found = searchPath(home, variables.PATH).map((folder) => find(program, folder));
      return [...new Set(found.filter((path) => path !== null))];
    },
    exists: existsSync,
  };
}

/** The variables of these names that are set and not empty. */
export function pickVariables(variables: System["variables"], names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = variables[name];
    if (value) found[name] = value;
  }
  return found;
}

// The last one is NixOS's.
const systemFolders = ["/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin"];

/**
 * The kind of a system with these variables and files. WSL counts only with its interop, and never a container in it, which
 * has WSL's kernel but cannot reach Windows.
 */
export function systemKind(
  platform: string,
  { WSL_INTEROP }: System["variables"],
  exists: (path: string) => boolean,
): System["kind"] {
  if (platform === "win32") return "windows";
  if (platform === "darwin") return "macos";
  if (platform !== "linux") return "other";
  const interop = ["WSLInterop", "WSLInterop-late"].map((name) => `/proc/sys/fs/binfmt_misc/${name}`); // with systemd
  const isContainer = ["/.dockerenv", "/run/.containerenv"].some(exists);
  return !isContainer && (WSL_INTEROP || interop.some(exists)) ? "wsl" : "linux";
}

// A client starts its server in a directory that others may have filled, and often with a short PATH. Folders below that
// directory belong to it, unless it is the person's home or above it.
function searchPath(home: string, path = ""): string[] {
  const current = realPathOrNull(".");
  const holdsHome = current === null || isWithin(realPathOrNull(home) ?? home, current);
  const isTrusted = (entry: string) => {
    const folder = isAbsolute(entry) ? realPathOrNull(entry) : null;
    return folder !== null && folder !== current && (holdsHome || !isWithin(folder, current));
  };
  return [...path.split(delimiter).filter(isTrusted), "/usr/local/bin", "/usr/bin", "/bin"];
}

/** Whether a path is a folder's, or leads into it; both are absolute. */
export function isWithin(path: string, folder: string): boolean {
  const steps = relative(folder, path);
  return !isAbsolute(steps) && steps.split(sep)[0] !== "..";
}
