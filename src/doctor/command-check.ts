import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  allCommandNames,
  type CommandKind,
  commandKinds,
  commandNames,
  isUneditedCommandFile,
  parseCommandFile,
} from "../setup/claude-code.ts";
import { isOriginalCommand } from "../setup/original.ts";
import { type Check, type Finding, fail, ok, warn } from "./check.ts";
import { type Configuration, serverIn } from "./configuration.ts";

const fix = "Run: relay setup-code";

/** The commands that a person types: whether they exist, are relay's, and are the ones that Claude Code runs. */
export const checkCommands: Check = ({ configuration, context }) =>
  commandKinds.flatMap((kind) => checkCommand(kind, configuration, context.places.claudeFolder));

function checkCommand(kind: CommandKind, { code, commands, plugin }: Configuration, claudeFolder: string): Finding[] {
  const names: readonly string[] = commandNames[kind];
  const title = kind === "get" ? "command" : `command ${kind}`;
  for (const { name, content } of commands.filter(({ name }) => names.includes(name))) {
    const started = parseCommandFile(content.toString());
    const skill = join(claudeFolder, "skills", name, "SKILL.md");
    if (started) return [{ ...inspect(`/${name}`, content.toString(), started.program, skill), name: title }];
  }
  if (plugin) return [ok(title, `/relay:${kind} comes with relay's plugin`)];
  return serverIn(code) === undefined ? [] : [fail(title, describeMissing(kind, commands), fix)];
}

function inspect(name: string, text: string, program: string, skill: string): Finding {
  if (existsSync(skill))
    return fail("command", `Claude Code runs your skill ${skill} in place of ${name}`, `Rename it. ${fix}`);
  if (!existsSync(program)) return fail("command", `${name} runs ${program}, which does not exist`, fix);
  if (!isUneditedCommandFile(text)) return warn("command", `${name} is not as setup writes it`, fix);
  return ok("command", `${name} runs ${program}`);
}

function describeMissing(kind: CommandKind, commands: Configuration["commands"]): string {
  const [first, second] = commandNames[kind];
  const found = commands.find(({ name }) => name === first);
  if (!found) return `there is no command /${first}`;
  if (isOriginalCommand(found.content)) return `/${first} is still the Python server's`;
  return `/${first} is not relay's, and there is no /${second}`;
}

/** Commands and skills of the working directory's project, which Claude Code may run in place of relay's. */
export const checkProjectCommands: Check = ({ configuration: { projectFolders } }) =>
  projectFolders
    .flatMap((folder) =>
      allCommandNames.flatMap((name) => [
        join(folder, ".claude/commands", `${name}.md`),
        join(folder, ".claude/skills", name, "SKILL.md"),
      ]),
    )
    .filter((path) => existsSync(path))
    .map((path) => {
      const detail = `Claude Code may run ${path}, which gets no ticket, in place of relay's command`;
      return warn("project", detail, "Rename it.");
    });
