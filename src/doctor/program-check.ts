import { realPath } from "../platform/system.ts";
import { findClaude, protectedVersion, stablePath } from "../setup/program.ts";
import { type Check, failed, ok, warn } from "./check.ts";

/** Which relay this is, and whether a shell would start another one. */
export const checkProgram: Check = ({ context: { system, executable }, version }) => {
  const path = stablePath(executable, system);
  const itself = ok("relay", `${version}, ${path}`);
  const found = system.findAll("relay");
  const [first = "", ...later] = found.filter((each) => realPath(each) !== realPath(executable));
  if (found.length === 0) {
    const fix = `Put the folder of ${path} into PATH.`;
    return [itself, warn("PATH", "has no relay, so a shell does not know it", fix)];
  }
  if (!first) return [itself];
  const detail =
    first === found[0]
      ? `a shell starts another relay: ${first}`
      : `there are other copies: ${[first, ...later].join(", ")}`;
  return [itself, warn("PATH", detail, "Remove the one that you do not want, and run: relay setup")];
};

/** Whether Claude Code is one that asks its person before a model reads messages. */
export const checkClaudeCode: Check = async ({ context: { system, places } }) => {
  const name = "Claude Code";
  const program = findClaude(system, places.home);
  if (!program) {
    const fix = "Install it, then run: relay setup-code";
    return [warn(name, "is not installed: no claude in PATH or ~/.local/bin", fix)];
  }
  try {
    return [ok(name, `${await protectedVersion(program, system, places.home)}, ${program}`)];
  } catch (error) {
    return [failed(name, error)];
  }
};
