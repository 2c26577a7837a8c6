import { join } from "node:path";
import { isCommandFile } from "./claude-code.ts";
import { readContent } from "./write-file.ts";

/**
 * Claude Code's plugin of relay, if it is installed and enabled for the person: its name, as `claude plugin uninstall`
 * takes it. An entry in `installed_plugins.json` alone says nothing: it stays when a plugin is disabled (seen, 2.1.330).
 */
export function activePlugin(claudeFolder: string): string | null {
  const { plugins } = readObject(join(claudeFolder, "plugins/installed_plugins.json"));
  const { enabledPlugins } = readObject(join(claudeFolder, "settings.json"));
  const enabled = objectOf(enabledPlugins);
  const installed = objectOf(plugins);
  const ids = Object.keys(installed).filter((id) => id.startsWith("relay@") && enabled[id] === true);
  return ids.find((id) => isOurPlugin(installed[id])) ?? null;
}

/**
 * The bundle of relay that is installed in the Claude Desktop of this folder: its name there. A bundle is known by the
 * name and the tools in its manifest (public reports, anthropics/claude-code#30954).
 */
export function installedBundle(desktopFolder: string): string | null {
  const { extensions } = readObject(join(desktopFolder, "extensions-installations.json"));
  const found = Object.entries(objectOf(extensions)).find(([id, extension]) => {
    const { manifest } = objectOf(extension);
    const { name, tools } = objectOf(manifest);
    return id.endsWith(".relay") && name === "relay" && JSON.stringify(tools ?? []).includes('"relay_send"');
  });
  return found?.[0] ?? null;
}

function isOurPlugin(installations: unknown): boolean {
  const list = Array.isArray(installations) ? installations : [];
  return list.map(objectOf).some(({ installPath }) => {
    if (typeof installPath !== "string") return false;
    const skill = readContent(join(installPath, "skills/get/SKILL.md"));
    return skill !== null && isCommandFile(skill.toString());
  });
}

/** A JSON file of some program's own, of which nothing is expected. */
function readObject(path: string): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(readContent(path)?.toString() ?? "{}"));
  } catch {
    return {};
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
