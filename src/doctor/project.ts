import { existsSync } from "node:fs";
import { join } from "node:path";
import { commandNames } from "../setup/claude-code.ts";
import { ownerOf } from "../setup/servers.ts";
import { type Check, ok, warn } from "./check.ts";

/** What the project of the working directory has under relay's names, which Claude Code may take in its place. */
export const checkProject: Check = ({ configuration, surroundings }) => {
  const { projectFolders, project, code } = configuration;
  const files = projectFolders.flatMap((folder) =>
    commandNames.flatMap((name) => [
      join(folder, ".claude/commands", `${name}.md`),
      join(folder, ".claude/skills", name, "SKILL.md"),
    ]),
  );
  const commands = files
    .filter(existsSync)
    .map((path) =>
      warn(
        "project",
        `${path} may be run in place of your own command, and gets no ticket`,
        "Rename it, or know that it is not relay's.",
      ),
    );
  const local = code?.at(["projects", surroundings.folder, "mcpServers", "relay"]);
  const servers = [
    ...project.map((file) => ({ path: file.path, entry: file.at(["mcpServers", "relay"]) })),
    { path: `${code?.path}, for this folder`, entry: local },
  ].filter(({ entry }) => entry !== undefined);
  return [
    ...commands,
    ...servers.map(({ path, entry }) =>
      ownerOf(entry) === "relay"
        ? ok("project", `relay is registered in ${path}, too`)
        : warn(
            "project",
            `a server called relay in ${path} takes the place of yours here`,
            "Rename it there.",
          ),
    ),
  ];
};
