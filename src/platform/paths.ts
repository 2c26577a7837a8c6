import { existsSync, readdirSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { RelayError } from "../core/errors.ts";
import type { System } from "./system.ts";

/** The name of Claude Desktop's configuration in each of its folders. */
export const desktopConfigName = "claude_desktop_config.json";

/** The absolute paths of a person's files of both Claudes and relay. */
export interface Places {
  home: string;
  /** The buffer without `RELAY_DB`. */
  defaultBufferPath: string;
  /** `CLAUDE_CONFIG_DIR`, if that is set. */
  configDirOverride: string | null;
  /** Claude Code's folder: settings, commands, plugins. */
  claudeFolder: string;
  /** Claude Code's own file, where `claude mcp add-json --scope user` registers servers. */
  claudeConfig: string;
  /**
   * The folders of Claude Desktop's configuration, the default one first (facts.md, "Claude Desktop"). With a model by
   * Bedrock, Vertex or a gateway it uses `Claude-3p`.
   */
  desktopFolders: string[];
  /** Claude Code's settings by an administrator, which override the person's, the strongest first (its documents). */
  managedSettings: string[];
  /** The administrator's servers, which take the place of all others (its documents). */
  managedServers: string;
  /** The record of setup's changes. In the home folder, because the Windows store's Desktop redirects other folders. */
  installRecord: string;
}

const bufferName = ".relay_buffer.db";

/** The buffer of a person with this home folder, without `RELAY_DB`. */
export function defaultBufferPath(home: string): string {
  return join(home, bufferName);
}

/** The folder for the files that Claude Code gets from this buffer's messages. Another buffer beside it has the same ids. */
export function receivedFolder(buffer: string): string {
  return buffer.replace(/[^/\\]*$/, (name) => (name === bufferName ? ".relay_files" : `.relay_files-${name}`));
}

/** The places of a person with this home folder on this system. Throws a `usage` error if `CLAUDE_CONFIG_DIR` is relative. */
export function placesOf(home: string, { kind, variables }: Pick<System, "kind" | "variables">): Places {
  const configDirOverride = variables.CLAUDE_CONFIG_DIR || null;
  if (configDirOverride && !isAbsolute(configDirOverride)) {
    throw new RelayError(
      "usage",
      `CLAUDE_CONFIG_DIR is "${configDirOverride}", which is not an absolute path`,
      "Write it out from the root.",
    );
  }
  const claudeFolder = configDirOverride ?? join(home, ".claude");
  // Claude Code prefers its file's older path, if a file is there (seen, 2.1.330)
  const olderConfig = join(claudeFolder, ".config.json");
  const managed = managedFolder(kind, variables);
  return {
    home,
    defaultBufferPath: defaultBufferPath(home),
    configDirOverride,
    claudeFolder,
    claudeConfig: existsSync(olderConfig) ? olderConfig : join(configDirOverride ?? home, ".claude.json"),
    desktopFolders: desktopFolders(home, kind, variables),
    managedSettings: [
      ...entriesOf(join(managed, "managed-settings.d"), /^[^.].*\.json$/).toReversed(),
      join(managed, "managed-settings.json"),
    ],
    managedServers: join(managed, "managed-mcp.json"),
    installRecord: join(home, ".relay_install.json"),
  };
}

/**
 * The folders whose `.claude` belongs to a project: this one and those above it, up to its repository. That of the home folder
 * is the person's.
 */
export function projectFoldersOf(folder: string, home: string): string[] {
  const folders: string[] = [];
  for (let current = folder; current !== home; current = dirname(current)) {
    folders.push(current);
    if (existsSync(join(current, ".git")) || dirname(current) === current) break;
  }
  return folders;
}

function managedFolder(kind: System["kind"], variables: System["variables"]): string {
  if (kind === "macos") return "/Library/Application Support/ClaudeCode";
  if (kind !== "windows") return "/etc/claude-code";
  return join(variables.ProgramFiles || "C:\\Program Files", "ClaudeCode");
}

function desktopFolders(home: string, kind: System["kind"], variables: System["variables"]): string[] {
  const parents = desktopParents(home, kind, variables);
  const local = variables.LOCALAPPDATA || join(home, "AppData/Local");
  const thirdParty = [...parents, ...(kind === "windows" ? [local] : [])].map((parent) => join(parent, "Claude-3p"));
  return [...parents.map((parent) => join(parent, "Claude")), ...thirdParty.filter(existsSync)];
}

function desktopParents(home: string, kind: System["kind"], variables: System["variables"]): string[] {
  if (kind === "macos") return [join(home, "Library/Application Support")];
  if (kind !== "windows") {
    const flatpaks = entriesOf(join(home, ".var/app"), /claude/i).map((folder) => join(folder, "config"));
    const snaps = entriesOf(join(home, "snap"), /claude/i).map((folder) => join(folder, "current/.config"));
    const packaged = [...flatpaks, ...snaps].filter((parent) => entriesOf(parent, /^Claude(-3p)?$/).length > 0);
    return [variables.XDG_CONFIG_HOME || join(home, ".config"), ...packaged];
  }
  const packages = join(variables.LOCALAPPDATA || join(home, "AppData/Local"), "Packages");
  const fromStore = entriesOf(packages, /^Claude_/).map((folder) => join(folder, "LocalCache/Roaming"));
  return [variables.APPDATA || join(home, "AppData/Roaming"), ...fromStore];
}

/** The paths in a folder whose names match, in order; none if it cannot be read. */
function entriesOf(folder: string, pattern: RegExp): string[] {
  try {
    const names = readdirSync(folder).filter((name) => pattern.test(name));
    return names.sort().map((name) => join(folder, name));
  } catch {
    return [];
  }
}
