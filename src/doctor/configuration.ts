import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorMessage } from "../core/errors.ts";
import { desktopConfigName, type Places } from "../platform/paths.ts";
import { type JsonText, jsonText, type Path } from "../setup/json-text.ts";
import { readContent } from "../setup/write-file.ts";

/** A configuration file of some other program. */
export interface ConfigFile {
  path: string;
  /** The value at a place; `undefined` if there is none, or what leads there is something else. */
  at(path: Path): unknown;
}

/** Claude Code's settings of one kind. */
export interface SettingsFile extends ConfigFile {
  /** Whose they are, in words. */
  scope: "user" | "project" | "project-local" | "managed";
}

/** Everything that tells the two Claudes of relay. Files that are not there are left out. */
export interface Configuration {
  settings: SettingsFile[];
  /** Claude Code's own file, with its servers. */
  code: ConfigFile | null;
  /** Claude Desktop's. */
  desktop: ConfigFile[];
  /** The `.mcp.json` of the working directory, and of the folders above it up to its repository. */
  project: ConfigFile[];
  /** Those folders, the innermost first. */
  projectFolders: string[];
  /** Files that cannot be read or parsed, in a sentence each. */
  problems: string[];
}

/** Reads all of it, and never throws. */
export function readConfiguration(places: Places, folder: string): Configuration {
  const problems: string[] = [];
  const read = (path: string): ConfigFile | null => {
    try {
      // the working directory is anybody's, and a pipe in it would never end
      if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) return null;
      const content = readContent(path);
      return content && configFile(path, jsonText(content.toString().replace(/^\uFEFF/, ""), path));
    } catch (error) {
      problems.push(errorMessage(error));
      return null;
    }
  };
  const all = (paths: readonly string[]) => paths.map(read).filter((file) => file !== null);
  const projectFolders = foldersOf(folder, places.home);
  const settings = (scope: SettingsFile["scope"], paths: readonly string[]) =>
    all(paths).map((file) => ({ ...file, scope }));
  return {
    settings: [
      ...settings("user", [join(places.claudeFolder, "settings.json")]),
      ...settings("project", inEach(projectFolders, ".claude/settings.json")),
      ...settings("project-local", inEach(projectFolders, ".claude/settings.local.json")),
      ...settings("managed", places.managedSettings),
    ],
    code: read(places.claudeConfig),
    desktop: all(inEach(places.desktopFolders, desktopConfigName)),
    project: all(inEach(projectFolders, ".mcp.json")),
    projectFolders,
    problems,
  };
}

// What has a key twice, or something else than an object on the way, has nothing there.
function configFile(path: string, json: JsonText): ConfigFile {
  return {
    path,
    at(way) {
      try {
        return json.at(way);
      } catch {
        return undefined;
      }
    },
  };
}

// The home folder's own .claude is the person's, not a project's.
function foldersOf(folder: string, home: string): string[] {
  const found: string[] = [];
  for (let each = folder; each !== home; each = dirname(each)) {
    found.push(each);
    if (existsSync(join(each, ".git")) || dirname(each) === each) break;
  }
  return found;
}

function inEach(folders: readonly string[], name: string): string[] {
  return folders.map((folder) => join(folder, name));
}
