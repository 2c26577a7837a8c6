import { join } from "node:path";
import { isOriginalCommand, isOriginalHook, isOriginalServer } from "../setup/original.ts";
import { type Check, warn } from "./check.ts";
import type { ConfigFile } from "./configuration.ts";
import { contentOf } from "./content.ts";

/** What is left of the Python server. Its entries under relay's own name are the servers' business. */
export const checkOriginal: Check = ({ configuration, surroundings: { places } }) => {
  const { code, desktop, settings, project } = configuration;
  const servers = [code, ...desktop, ...project].flatMap((file) => (file ? serversIn(file) : []));
  const hooks = settings.filter((file) => hasOriginalHook(file)).map(({ path }) => `its hook in ${path}`);
  const commands = ["get", "relay"]
    .map((name) => join(places.claudeFolder, "commands", `${name}.md`))
    .filter((path) => isOriginal(path));
  const left = [...servers, ...hooks, ...commands];
  if (left.length === 0) return [];
  return [
    warn(
      "Python server",
      `is still there: ${left.join(", ")}`,
      "Run: relay setup, and take out by hand what it leaves.",
    ),
  ];
};

function serversIn(file: ConfigFile): string[] {
  const servers = file.at(["mcpServers"]);
  if (typeof servers !== "object" || servers === null) return [];
  return Object.entries(servers)
    .filter(([name, entry]) => name !== "relay" && isOriginalServer(entry))
    .map(([name]) => `${name} in ${file.path}`);
}

function hasOriginalHook(file: ConfigFile): boolean {
  const entries = file.at(["hooks", "SessionStart"]);
  return (
    Array.isArray(entries) &&
    entries.some((entry) => Array.isArray(entry?.hooks) && entry.hooks.some(isOriginalHook))
  );
}

function isOriginal(path: string): boolean {
  const content = contentOf(path);
  return content !== null && isOriginalCommand(content);
}
