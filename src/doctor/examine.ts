import { checkBeside } from "./beside.ts";
import { checkBuffer } from "./buffer.ts";
import { type Check, type Finding, fail, type Subject } from "./check.ts";
import { checkClaudeVersion } from "./claude-version.ts";
import { checkCommand } from "./command.ts";
import { checkHooks } from "./hooks.ts";
import { checkNotification } from "./notification.ts";
import { checkOriginal } from "./original.ts";
import { checkProgram } from "./program.ts";
import { checkProject } from "./project.ts";
import { checkSameBuffer } from "./same-buffer.ts";
import { checkCodeServer, checkDesktopServer } from "./servers.ts";

const checkFiles: Check = ({ configuration }) =>
  configuration.problems.map((problem) =>
    fail("configuration", problem, "Mend that file; its program cannot read it either."),
  );

const checks: readonly Check[] = [
  checkProgram,
  checkBuffer,
  checkFiles,
  checkClaudeVersion,
  checkCodeServer,
  checkHooks,
  checkCommand,
  checkProject,
  checkDesktopServer,
  checkSameBuffer,
  checkBeside,
  checkOriginal,
  checkNotification,
];

/** Looks at everything, and changes nothing. */
export async function examine(subject: Subject): Promise<Finding[]> {
  const found = await Promise.all(checks.map((check) => check(subject)));
  return found.flat();
}
