import { existsSync, readdirSync } from "node:fs";
import { isAbsolute, join } from "node:path";
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
  /** The folders of Claude Desktop's configuration, the default one first (facts.md, "Claude Desktop"). */
  desktopFolders: string[];
  /** Claude Code's settings by an administrator, which override the person's (documents of Claude Code, "Settings"). */
  managedSettings: string[];
  /** The record of setup's changes. In the home folder, because the Windows store's Desktop redirects other folders. */
  installRecord: string;
}

/** The buffer of a person with this home folder, without `RELAY_DB`. */
export function defaultBufferPath(home: string): string {
  return join(home, ".relay_buffer.db");
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
  return {
    home,
    defaultBufferPath: defaultBufferPath(home),
    configDirOverride,
    claudeFolder,
    claudeConfig: existsSync(olderConfig) ? olderConfig : join(configDirOverride ?? home, ".claude.json"),
    desktopFolders: desktopFolders(home, kind, variables),
    managedSettings: [managedSettings(kind, variables)],
    installRecord: join(home, ".relay_install.json"),
  };
}

function managedSettings(kind: System["kind"], variables: System["variables"]): string {
  if (kind === "macos") return "/Library/Application Support/ClaudeCode/managed-settings.json";
  if (kind !== "windows") return "/etc/claude-code/managed-settings.json";
  return join(variables.ProgramFiles || "C:\\Program Files", "ClaudeCode/managed-settings.json");
}

function desktopFolders(home: string, kind: System["kind"], variables: System["variables"]): string[] {
  if (kind === "macos") return [join(home, "Library/Application Support/Claude")];
  if (kind !== "windows") return [join(variables.XDG_CONFIG_HOME || join(home, ".config"), "Claude")];
  const roaming = variables.APPDATA || join(home, "AppData/Roaming");
  const packages = join(variables.LOCALAPPDATA || join(home, "AppData/Local"), "Packages");
  const fromStore = entriesOf(packages).filter((name) => name.startsWith("Claude_"));
  return [join(roaming, "Claude"), ...fromStore.map((name) => join(packages, name, "LocalCache/Roaming/Claude"))];
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
