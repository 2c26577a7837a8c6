import { errorMessage } from "../core/errors.ts";
import { planDesktop } from "../setup/claude-desktop.ts";
import { planCode } from "../setup/code-plan.ts";
import { refuseUnwritable, type Section } from "../setup/plan.ts";
import { planSetup } from "../setup/setup-plan.ts";
import { checkBuffer } from "./buffer-check.ts";
import { type Check, fail, failed, type ListedFinding, ok, type Subject, unchecked } from "./check.ts";
import { checkCommands, checkProjectCommands } from "./command-check.ts";
import { checkDatabase } from "./database-check.ts";
import { checkEffect } from "./effect-check.ts";
import {
  checkBundle,
  checkClaudeCode,
  checkOriginal,
  checkPlugin,
  checkProgram,
  checkVariables,
} from "./install-check.ts";
import {
  checkCodeServer,
  checkDesktopFiles,
  checkDesktopServer,
  checkProjectServers,
  checkSameBuffer,
} from "./server-check.ts";
import { checkHooks, checkSandbox, checkStatusLine } from "./settings-check.ts";

const checkFiles: Check = ({ configuration }) =>
  configuration.problems.map((problem) => failed("configuration", problem));

/** The buffer: a database, or the file. */
const checkStore: Check = (subject) => {
  try {
    const database = subject.database();
    return database ? checkDatabase(database) : checkBuffer(subject);
  } catch (error) {
    return [failed("database", error)];
  }
};

/** Shows a notification, if one is wanted. Only the person knows whether it appeared. */
const checkNotification: Check = async ({ notifier }) => {
  const name = "notification";
  if (!notifier) return [unchecked(name, "not tried; relay doctor --notify shows one")];
  const body = "This is relay's test notification. If you can read it, notifications work.";
  const { shown, finished } = notifier.show({ title: "relay", body, sound: "default" });
  const failure = await shown;
  await finished;
  if (failure) return [fail(name, `none could be shown: ${failure}`, "See the README, Help.")];
  return [ok(name, "one was shown just now; if nothing appeared, see the README, Help")];
};

const checks: readonly (readonly [Section, ...Check[]])[] = [
  ["This machine", checkProgram, checkVariables, checkStore, checkFiles],
  ["Claude Code", checkClaudeCode, checkCodeServer, checkEffect, checkHooks, checkStatusLine, checkSandbox],
  ["Claude Code", checkCommands, checkProjectCommands, checkProjectServers, checkPlugin],
  ["Claude Desktop", checkDesktopServer, checkDesktopFiles, checkBundle],
  ["This machine", checkSameBuffer, checkOriginal],
  ["Notifications", checkNotification],
];

/** Runs all checks, and changes nothing. */
export async function examine(subject: Subject): Promise<ListedFinding[]> {
  const list = async (section: Section, check: Check) =>
    (await check(subject)).map((finding) => ({ ...finding, section }));
  const listed = checks.flatMap(([section, ...each]) => each.map((check) => list(section, check)));
  const findings = (await Promise.all(listed)).flat();
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
