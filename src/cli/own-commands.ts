import { join } from "node:path";
import type { Environment } from "../platform/environment.ts";
import { readTextOrNull } from "../platform/files.ts";
import { type CommandKind, commandKinds, commandNames, isCommandFile } from "../setup/claude-code.ts";

/** relay's command that an event of Claude Code names; `null` for any other, which may have the same name. */
export function ownCommand(
  { command_name, command_source }: Record<string, unknown>,
  environment: Environment,
): CommandKind | null {
  if (typeof command_name !== "string") return null;
  const isNamed = (kind: CommandKind) => {
    if (command_source === "userSettings") return command_name === installedName(kind, environment);
    // its name even when the person types /get (facts.md)
    return command_source === "plugin" && command_name === `relay:${kind}` && isOurPlugin(kind, environment);
  };
  return commandKinds.find(isNamed) ?? null;
}

/** The name that the person types for a command of relay's; `null` without one. */
export function nameToType(kind: CommandKind, environment: Environment): string | null {
  return installedName(kind, environment) ?? pluginName(kind, environment);
}

/** What the person types for a command of relay's; `/get` or `/send` if none is installed. */
export function slashCommand(kind: CommandKind, environment: Environment): string {
  return `/${nameToType(kind, environment) ?? kind}`;
}

/** The name of the plugin's skill: the short one, unless another command of the person's has it. */
function pluginName(kind: CommandKind, environment: Environment): string | null {
  if (!isOurPlugin(kind, environment)) return null;
  const folder = environment.claudeFolder();
  const paths = [`commands/${kind}.md`, `skills/${kind}/SKILL.md`];
  const isTaken = folder !== null && paths.some((path) => readTextOrNull(join(folder, path)) !== null);
  return isTaken ? `relay:${kind}` : kind;
}

function isOurPlugin(kind: CommandKind, { pluginFolder }: Environment): boolean {
  return pluginFolder !== null && isCommandFile(readTextOrNull(join(pluginFolder, `skills/${kind}/SKILL.md`)) ?? "");
}

/** The name of relay's command among the person's own; `null` if it is not there. */
function installedName(kind: CommandKind, environment: Environment): string | null {
  const folder = environment.claudeFolder();
  if (!folder) return null;
  // a skill of the person's beats a command of the same name (facts.md)
  const isOurs = (name: string) =>
    isCommandFile(readTextOrNull(join(folder, "commands", `${name}.md`)) ?? "") &&
    readTextOrNull(join(folder, "skills", name, "SKILL.md")) === null;
  return commandNames[kind].find(isOurs) ?? null;
}
