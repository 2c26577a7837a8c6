import { findClaude, protectedVersion } from "../setup/program.ts";
import { type Check, failed, ok, warn } from "./check.ts";

/** Whether Claude Code is one that asks its person before a model reads messages. */
export const checkClaudeVersion: Check = async ({ surroundings: { system, places } }) => {
  const program = findClaude(system, places.home);
  if (!program)
    return [
      warn(
        "Claude Code",
        "is not here: no claude in PATH or ~/.local/bin",
        "Install it, then run: relay setup-code",
      ),
    ];
  try {
    return [ok("Claude Code", `${await protectedVersion(program, system, places.home)}, ${program}`)];
  } catch (error) {
    return [failed("Claude Code", error)];
  }
};
