import { errorMessage } from "../core/errors.ts";
import { planDesktop } from "../setup/claude-desktop.ts";
import { planCode } from "../setup/code-plan.ts";
import { refuseUnwritable } from "../setup/plan.ts";
import { planSetup } from "../setup/setup-plan.ts";
import { checkBuffer } from "./buffer-check.ts";
import { type Check, type Finding, fail, failed, ok, type Subject } from "./check.ts";
import { checkCommand, checkProjectCommands } from "./command-check.ts";
import { checkEffect } from "./effect-check.ts";
import { checkHooks } from "./hook-check.ts";
import { checkClaudeCode, checkOriginal, checkProgram, checkTwice, checkVariables } from "./install-check.ts";
import { checkSandbox } from "./sandbox-check.ts";
import { checkCodeServer, checkDesktopServer, checkProjectServers, checkSameBuffer } from "./server-check.ts";

const checkFiles: Check = ({ configuration }) =>
  configuration.problems.map((problem) => failed("configuration", problem));

/** Shows a notification, if one is wanted. Only the person knows whether it appeared. */
const checkNotification: Check = async ({ notifier }) => {
  if (!notifier) return [];
  const body = "This is relay's test notification. If you can read it, notifications work.";
  const { shown, finished } = notifier.show({ title: "relay", body, sound: "default" });
  const failure = await shown;
  await finished;
  const name = "notification";
  if (failure) return [fail(name, `none could be shown: ${failure}`, "See the README, Notifications.")];
  return [ok(name, "one was shown just now; if nothing appeared, see the README, Notifications")];
};

const checks: readonly Check[] = [
  checkProgram,
  checkVariables,
  checkBuffer,
  checkFiles,
  checkClaudeCode,
  checkCodeServer,
  checkEffect,
  checkHooks,
  checkSandbox,
  checkCommand,
  checkProjectCommands,
  checkProjectServers,
  checkDesktopServer,
  checkSameBuffer,
  checkTwice,
  checkOriginal,
  checkNotification,
];

/** Runs all checks, and changes nothing. */
export async function examine(subject: Subject): Promise<Finding[]> {
  const findings = (await Promise.all(checks.map((check) => check(subject)))).flat();
  return Promise.all(
    findings.map(async (finding) => {
      const [, verb] = /^(?:Run: |Quit Claude Desktop, run )relay (setup[a-z-]*)/.exec(finding.fix ?? "") ?? [];
      return verb ? { ...finding, fix: (await refusalOf(verb, subject)) ?? finding.fix } : finding;
    }),
  );
}

const plans: Record<string, typeof planSetup> = {
  setup: planSetup,
  "setup-code": planCode,
  "setup-desktop": planDesktop,
};

/** Why this setup would refuse, and the fix of that; `null` if it would not. */
async function refusalOf(verb: string, { context }: Subject): Promise<string | null> {
  try {
    const plan = await plans[verb]?.(context, { scope: "user", statusline: false });
    if (plan) refuseUnwritable(plan, context.places.installRecord);
    return null;
  } catch (error) {
    return `relay ${verb} cannot do it yet: ${errorMessage(error)}`;
  }
}
