import { parseCommandFile, sandboxExclusion } from "../setup/claude-code.ts";
import { sandboxProblem } from "../setup/sandbox-trial.ts";
import { type Check, fail, ok } from "./check.ts";

/** Whether Claude Code's sandbox, if it is on, runs on this machine and lets `/get` reach the buffer. */
export const checkSandbox: Check = async ({ configuration: { settings, commands, plugin }, context: { system } }) => {
  const enabled = settings.map(({ at }) => at(["sandbox", "enabled"])).find((value) => value !== undefined);
  if (enabled !== true) return [];
  const problem = await sandboxProblem(system);
  if (problem) return [fail("sandbox", `is on, but cannot run: ${problem.reason}`, problem.fix)];
  const started = commands.map(({ content }) => parseCommandFile(content.toString())).find((found) => found !== null);
  const excluded = settings.flatMap(({ at }) => at(["sandbox", "excludedCommands"]) ?? []);
  if (started && excluded.includes(sandboxExclusion(started.program, started.buffer))) {
    return [ok("sandbox", "is on and runs, so commands of a model cannot read the buffer")];
  }
  if (started) return [fail("sandbox", "is on, and keeps /get from the buffer", "Run: relay setup-code")];
  if (!plugin) return [];
  // a plugin cannot exclude a command from the sandbox
  const advice = "Use relay setup-code in place of the plugin.";
  return [fail("sandbox", "is on, and keeps the plugin's /get from the buffer", advice)];
};
