import { checkBuffer } from "./buffer-check.ts";
import { type Check, type Finding, fail, failed, ok, type Subject } from "./check.ts";
import { checkCommand, checkProjectCommands } from "./command-check.ts";
import { checkHooks } from "./hook-check.ts";
import { checkClaudeCode, checkOriginal, checkProgram, checkTwice } from "./install-check.ts";
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
  checkBuffer,
  checkFiles,
  checkClaudeCode,
  checkCodeServer,
  checkHooks,
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
  return (await Promise.all(checks.map((check) => check(subject)))).flat();
}
