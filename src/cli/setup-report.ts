import { unifiedDiff } from "../setup/diff.ts";
import { carryOut, type FileChange, type Plan } from "../setup/plan.ts";
import type { Context } from "./context.ts";

/** How a plan is carried out and told of. */
export interface ReportOptions {
  installRecord: string;
  dryRun: boolean;
  json: boolean;
}

/**
 * Carries out what `plan` plans, or only shows it, and says what changed and what to do next. Answers what that is, and
 * whether anything changed.
 */
export async function execute<P extends Plan>(
  plan: () => Promise<P>,
  { dryRun, json, installRecord }: ReportOptions,
  context: Context,
): Promise<{ done: P; changed: boolean }> {
  const done = dryRun ? await plan() : await carryOut(plan, installRecord);
  const changes = done.changes.filter(isVisible);
  const changed = !dryRun && done.errands.length + changes.length > 0;
  if (json) context.print(JSON.stringify({ ok: true, changed, dry_run: dryRun, ...steps(done, changes) }));
  else context.print(told(done, changes, dryRun));
  return { done, changed };
}

// A file that is gone already only leaves the record.
function isVisible({ before, after }: FileChange): boolean {
  return !(before === null ? after === null : after !== null && before.equals(after));
}

function steps({ errands, warnings, next }: Plan, changes: readonly FileChange[]) {
  return {
    steps: [
      ...errands.map(({ argv, what }) => ({ what, command: argv })),
      ...changes.map(({ path, what }) => ({ what, path })),
    ],
    warnings,
    next,
  };
}

function told({ errands, warnings, next }: Plan, changes: readonly FileChange[], dryRun: boolean): string {
  const isNothing = errands.length + changes.length === 0;
  const say = (line: string) => `relay: ${line}`;
  return [
    ...errands.map(({ argv, what }) => say(`${what}: ${shownCommand(argv)}`)),
    ...changes.flatMap((change) => [
      say(`${change.path}: ${change.what}`),
      ...(dryRun ? [diffOf(change)] : []),
    ]),
    ...(isNothing ? [say("nothing to change: everything is as it should be.")] : []),
    ...(dryRun ? [say("nothing was changed: this was a dry run.")] : []),
    ...warnings.map((warning) => say(`warning: ${warning}`)),
    ...(dryRun || isNothing ? [] : next.map((step) => say(`next: ${step}`))),
  ].join("\n");
}

function diffOf({ before, after }: FileChange): string {
  return unifiedDiff(before?.toString() ?? "", after?.toString() ?? "");
}

function shownCommand(argv: readonly string[]): string {
  return argv
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}
