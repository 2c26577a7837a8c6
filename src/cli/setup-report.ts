import { RelayError } from "../core/errors.ts";
import { unifiedDiff } from "../setup/diff.ts";
import { carryOut, type FileChange, isSame, type Plan } from "../setup/plan.ts";
import type { Context } from "./context.ts";

/** How a plan is carried out and told of. */
export interface ReportOptions {
  installRecord: string;
  dryRun: boolean;
  json: boolean;
  /** It takes things out, and does so as far as it can. */
  thorough?: boolean;
}

/**
 * Carries out what `plan` plans, or only shows it, and says what changed and what to do next. Answers whether anything
 * changed. Throws a `failed` error that names all that could not be done.
 */
export async function execute(
  plan: () => Promise<Plan>,
  { dryRun, json, installRecord, thorough = false }: ReportOptions,
  context: Context,
): Promise<boolean> {
  const done = dryRun ? await plan() : await carryOut(plan, installRecord, thorough);
  const changes = done.changes.filter((change) => !isSame(change));
  const changed = !dryRun && done.errands.length + changes.length > 0;
  const ok = done.failures.length === 0;
  if (json) context.print(JSON.stringify({ ok, changed, dry_run: dryRun, ...steps(done, changes) }));
  else {
    const text = told(done, changes, dryRun);
    if (text !== "") context.print(text);
  }
  if (!ok) throw new RelayError("failed", done.failures.join(" "));
  return changed;
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

function told(
  { errands, warnings, next, failures }: Plan,
  changes: readonly FileChange[],
  dryRun: boolean,
): string {
  const isNothing = errands.length + changes.length === 0;
  const say = (line: string) => `relay: ${line}`;
  return [
    ...errands.map(({ argv, what }) => say(`${what}: ${shownCommand(argv)}`)),
    ...changes.flatMap((change) => [
      say(`${change.path}: ${change.what}`),
      ...(dryRun ? [diffOf(change)] : []),
    ]),
    ...(isNothing && failures.length === 0 ? [say("nothing to change: everything is as it should be.")] : []),
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
