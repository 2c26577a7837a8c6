import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readTextOrNull } from "../platform/files.ts";
import { isCommandFile } from "./claude-code.ts";
import { objectIn, readJsonObject } from "./json-file.ts";
import type { SetupContext } from "./setup-context.ts";

/**
 * The name of relay's plugin for Claude Code, as `claude plugin uninstall` takes it; `null` unless it is installed and
 * enabled. A disabled plugin keeps its entry in `installed_plugins.json` (seen, 2.1.330).
 */
export function activePlugin(claudeFolder: string): string | null {
  const { plugins } = readJsonObject(join(claudeFolder, "plugins/installed_plugins.json"));
  const { enabledPlugins } = readJsonObject(join(claudeFolder, "settings.json"));
  const enabled = objectIn(enabledPlugins);
  const installed = objectIn(plugins);
  const ids = Object.keys(installed).filter((id) => id.startsWith("relay@") && enabled[id] === true);
  return ids.find((id) => isOurPlugin(installed[id])) ?? null;
}

/**
 * The name of relay's bundle in the Claude Desktop of this folder; `null` if it is not installed. Recognizes it by the
 * name and the tools in its manifest (public reports, anthropics/claude-code#30954).
 */
export function installedBundle(desktopFolder: string): string | null {
  const { extensions } = readJsonObject(join(desktopFolder, "extensions-installations.json"));
  const found = Object.entries(objectIn(extensions)).find(([id, extension]) => {
    const { manifest } = objectIn(extension);
    const { name, tools } = objectIn(manifest);
    return id.endsWith(".relay") && name === "relay" && JSON.stringify(tools ?? []).includes('"relay_send"');
  });
  return found?.[0] ?? null;
}

/** The copies of relay that its bundle made, because nothing could run in its own folder, and their folder (launch.sh). */
export function bundleCopies({ system, places }: SetupContext): { folder: string; copies: string[] } {
  const caches = system.variables.XDG_CACHE_HOME || join(places.home, ".cache");
  const folder = join(system.kind === "macos" ? join(places.home, "Library/Caches") : caches, "relay");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const copies = names.filter((name) => /^relay-.+-(x64|arm64)(\.\d+)?$/.test(name));
  return { folder, copies: copies.map((name) => join(folder, name)) };
}

function isOurPlugin(installations: unknown): boolean {
  const list = Array.isArray(installations) ? installations : [];
  return list.some((installation) => {
    const { installPath } = objectIn(installation);
    if (typeof installPath !== "string") return false;
    return isCommandFile(readTextOrNull(join(installPath, "skills/get/SKILL.md")) ?? "");
  });
}
