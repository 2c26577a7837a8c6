import { existsSync } from "node:fs";
import { join } from "node:path";
import { isFile } from "../platform/files.ts";
import { desktopConfigName, type Places, projectFoldersOf } from "../platform/paths.ts";
import { allCommandNames, parseCommandFile, type Started } from "../setup/claude-code.ts";
import { readJson } from "../setup/json-file.ts";
import type { JsonText, Path } from "../setup/json-text.ts";
import { activePlugin, installedBundle } from "../setup/other-installs.ts";
import { readContent } from "../setup/write-file.ts";

/** A configuration file of another program. */
export interface ConfigFile {
  path: string;
  /** The value at a path; `undefined` if there is none. */
  at(path: Path): unknown;
}

/** Claude Code's settings of one kind. */
export interface SettingsFile extends ConfigFile {
  scope: "user" | "project" | "project-local" | "managed";
}

/** The configuration of both Claudes, as far as it is about relay. Missing files are left out. */
export interface Configuration {
  /** The strongest first (documents of Claude Code, "Settings precedence"). */
  settings: SettingsFile[];
  /** Claude Code's own file, with its servers. */
  code: ConfigFile | null;
  /** Claude Desktop's. */
  desktop: ConfigFile[];
  /** The person's commands by the possible names of relay's. */
  commands: { name: string; content: Buffer }[];
  /** The name of relay's plugin in Claude Code. */
  plugin: string | null;
  /** The names of relay's bundles in Claude Desktop, and the configuration beside each. */
  bundles: { name: string; configPath: string }[];
  /** The working directory and the folders above it, up to that of its repository, the innermost first. */
  projectFolders: string[];
  /** The `.mcp.json` in each of those folders. */
  project: ConfigFile[];
  /** The errors of files that cannot be read or parsed. */
  problems: unknown[];
}

/** The settings file in which a switch is on, if it is: the strongest file that has it decides, even a project's (seen, 2.1.330). */
export function switchedBy({ settings }: Configuration, key: string): SettingsFile | null {
  const deciding = key.startsWith("allowManaged") ? settings.filter(({ scope }) => scope === "managed") : settings;
  const file = deciding.find(({ at }) => at([key]) !== undefined);
  return file?.at([key]) === true ? file : null;
}

/** relay's server in a file with `mcpServers`; `undefined` if there is none. */
export function serverIn(file: ConfigFile | null | undefined): unknown {
  return file?.at(["mcpServers", "relay"]);
}

/** What relay's command starts; `null` if there is none. */
export function commandIn({ commands }: Configuration): Started | null {
  return commands.map(({ content }) => parseCommandFile(content.toString())).find((found) => found !== null) ?? null;
}

/** Reads the configuration. Never throws. */
export function readConfiguration(places: Places, folder: string): Configuration {
  const problems: unknown[] = [];
  const attempt = <T>(read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      problems.push(error);
      return null;
    }
  };
  const config = (path: string) => attempt(() => readConfig(path));
  const configs = (paths: readonly string[]) => paths.map(config).filter((file) => file !== null);
  const settings = (scope: SettingsFile["scope"], paths: readonly string[]) =>
    configs(paths).map((file) => ({ ...file, scope }));
  const projectFolders = projectFoldersOf(folder, places.home);
  const inProject = (name: string) => projectFolders.map((parent) => join(parent, name));
  return {
    settings: [
      ...settings("managed", places.managedSettings),
      ...settings("project-local", inProject(".claude/settings.local.json")),
      ...settings("project", inProject(".claude/settings.json")),
      ...settings("user", [join(places.claudeFolder, "settings.json")]),
    ],
    code: config(places.claudeConfig),
    desktop: configs(places.desktopFolders.map((parent) => join(parent, desktopConfigName))),
    commands: allCommandNames.flatMap((name) => {
      const content = attempt(() => readRegular(join(places.claudeFolder, "commands", `${name}.md`)));
      return content ? [{ name, content }] : [];
    }),
    plugin: attempt(() => activePlugin(places.claudeFolder)),
    bundles: places.desktopFolders.flatMap((parent) => {
      const name = attempt(() => installedBundle(parent));
      return name ? [{ name, configPath: join(parent, desktopConfigName) }] : [];
    }),
    projectFolders,
    project: configs(inProject(".mcp.json")),
    problems,
  };
}

function readConfig(path: string): ConfigFile | null {
  return readRegular(path) && configFile(path, readJson(path));
}

// Others may put a pipe into the working directory, and reading a pipe waits for its writer.
function readRegular(path: string): Buffer | null {
  return existsSync(path) && !isFile(path) ? null : readContent(path);
}

function configFile(path: string, json: JsonText): ConfigFile {
  return {
    path,
    at(keys) {
      try {
        return json.at(keys);
      } catch {
        return undefined; // a key is there twice
      }
    },
  };
}
