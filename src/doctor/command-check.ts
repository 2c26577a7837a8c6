import { existsSync } from "node:fs";
import { join } from "node:path";
import { commandNames, isUneditedCommandFile, parseCommandFile } from "../setup/claude-code.ts";
import { isOriginalCommand } from "../setup/original.ts";
import { type Check, type Finding, fail, ok, warn } from "./check.ts";
import { type Configuration, serverIn } from "./configuration.ts";

const fix = "Run: relay setup-code";

/** The command that a person types: whether it exists, is relay's, and is the one that Claude Code runs. */
export const checkCommand: Check = ({ configuration, context }) => {
  const { code, commands, plugin } = configuration;
  for (const { name, content } of commands) {
    const started = parseCommandFile(content.toString());
    const skill = join(context.places.claudeFolder, "skills", name, "SKILL.md");
    if (started) return [inspect(`/${name}`, content.toString(), started.program, skill)];
  }
  if (plugin) return [ok("command", "/relay:get comes with relay's plugin")];
  return serverIn(code) === undefined ? [] : [fail("command", describeMissing(commands), fix)];
};

function inspect(name: string, text: string, program: string, skill: string): Finding {
  if (existsSync(skill))
    return fail("command", `Claude Code runs your skill ${skill} in place of ${name}`, `Rename it. ${fix}`);
  if (!existsSync(program)) return fail("command", `${name} runs ${program}, which does not exist`, fix);
  if (!isUneditedCommandFile(text)) return warn("command", `${name} is not as setup writes it`, fix);
  return ok("command", `${name} runs ${program}`);
}

function describeMissing(commands: Configuration["commands"]): string {
  const get = commands.find(({ name }) => name === "get");
  if (!get) return "there is no command /get";
  if (isOriginalCommand(get.content)) return "/get is still the Python server's";
  return "/get is not relay's, and there is no /relay";
}

/** Commands and skills of the working directory's project, which Claude Code may run in place of relay's. */
export const checkProjectCommands: Check = ({ configuration: { projectFolders } }) =>
  projectFolders
    .flatMap((folder) =>
      commandNames.flatMap((name) => [
        join(folder, ".claude/commands", `${name}.md`),
        join(folder, ".claude/skills", name, "SKILL.md"),
      ]),
    )
    .filter((path) => existsSync(path))
    .map((path) => {
      const detail = `Claude Code may run ${path}, which gets no ticket, in place of relay's command`;
      return warn("project", detail, "Rename it.");
    });
