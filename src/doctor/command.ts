import { existsSync } from "node:fs";
import { join } from "node:path";
import { commandFile, commandNames, commandProgram, isCommandFile } from "../setup/claude-code.ts";
import { isOriginalCommand } from "../setup/original.ts";
import { activePlugin } from "../setup/other-installs.ts";
import { type Check, type Finding, fail, ok, type Subject, warn } from "./check.ts";
import { contentOf } from "./content.ts";

const mend = "Run: relay setup-code";

/** The command that a person types: whether it is there, is relay's, and is the one that Claude Code runs. */
export const checkCommand: Check = (subject) => {
  const { configuration, surroundings } = subject;
  const { claudeFolder } = surroundings.places;
  const plugin = activePlugin(claudeFolder);
  if (configuration.code?.at(["mcpServers", "relay"]) === undefined && !found(claudeFolder) && !plugin)
    return [];
  if (plugin)
    return found(claudeFolder) ? inspect(subject) : [ok("command", "/relay:get comes with relay's plugin")];
  return inspect(subject);
};

function inspect({ surroundings }: Subject): Finding[] {
  const { claudeFolder } = surroundings.places;
  const name = found(claudeFolder);
  if (!name) {
    const there = contentOf(join(claudeFolder, "commands/get.md"));
    if (there && isOriginalCommand(there))
      return [fail("command", "/get is still the Python server's", mend)];
    const whose = there
      ? "/get is somebody else's, and there is none of relay's"
      : "there is no command /get";
    return [fail("command", whose, mend)];
  }
  const text = String(contentOf(join(claudeFolder, "commands", `${name}.md`)));
  const program = commandProgram(text) ?? "";
  const skill = join(claudeFolder, "skills", name, "SKILL.md");
  const title = `/${name}`;
  if (existsSync(skill))
    return [fail("command", `your own skill ${skill} is run in place of ${title}`, `Rename it. ${mend}`)];
  if (!existsSync(program)) return [fail("command", `${title} runs ${program}, which is not there`, mend)];
  if (text !== commandFile(program)) return [warn("command", `${title} is not as setup writes it`, mend)];
  return [ok("command", `${title} runs ${program}`)];
}

/** The name under which relay's command stands among the person's own. */
function found(claudeFolder: string): string | undefined {
  return commandNames.find((name) => {
    const content = contentOf(join(claudeFolder, "commands", `${name}.md`));
    return content !== null && isCommandFile(content.toString());
  });
}
