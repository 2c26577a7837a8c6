import { statSync } from "node:fs";
import { join, sep } from "node:path";
import { RelayError } from "../core/errors.ts";
import { printableJson } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import { checkBuffer } from "../doctor/buffer-check.ts";
import type { Finding } from "../doctor/check.ts";
import { readConfiguration } from "../doctor/configuration.ts";
import { checkEffect } from "../doctor/effect-check.ts";
import { unifiedDiff } from "../setup/diff.ts";
import { applyPlan, type FileChange, type Line, type Plan, problems, type Section } from "../setup/plan.ts";
import { bufferOverride, type SetupContext } from "../setup/setup-context.ts";
import { shellWord } from "../setup/shell-words.ts";
import { isSameContent } from "../setup/write-file.ts";
import { renderChecklist } from "./checklist.ts";
import type { Context } from "./context.ts";

/** The setup context of a command that changes nothing. Throws a `failed` error without a home. */
export function setupContext({ environment }: Context): SetupContext {
  return {
    system: environment.system(),
    places: environment.places(),
    executable: process.execPath,
    folder: process.cwd(),
    buffer: null,
  };
}

/**
 * The setup context of a command that changes files. Throws an error for a relative `RELAY_DB`, for the home of another
 * user, who would no longer own the files, and for a model that sets `RELAY_DB`, a file that no permission rule protects.
 */
export function writableSetupContext(context: Context, command: string): SetupContext {
  const { environment } = context;
  const setup = setupContext(context);
  if (environment.database().url !== null)
    throw new RelayError(
      "usage",
      "RELAY_DB names a database",
      `Run relay connect URL, and ${command} without RELAY_DB.`,
    );
  const buffer = setup.system.variables.RELAY_DB ? environment.bufferPath() : null;
  if (buffer) refuseInsideClaudeCode(`${command} with RELAY_DB`, environment);
  const { home } = setup.places;
  const user = process.getuid?.();
  const { uid, gid, mode } = statSync(home);
  // a container may run with any user number, in a home folder of its group
  const isGroups = user !== 0 && gid === process.getgid?.() && (mode & 0o020) !== 0;
  if (user === undefined || user === uid || isGroups) return { ...setup, buffer };
  throw new RelayError("failed", `the home folder ${home} is another user's`, "Run this as that user, without sudo.");
}

/** Options of a plan's application and its report. */
export interface ApplyOptions {
  dryRun: boolean;
  json: boolean;
  /** The last line after an empty plan; by default that relay is already set up. */
  nothing?: string;
  /** An error stops only its own part. */
  continueOnError?: boolean;
  /** More lines, after the work. */
  check?: (changed: boolean) => Promise<Line[]>;
  /** The last lines after the work, of what remains. */
  remains?: string[];
}

/**
 * Applies a plan, or only shows it, and reports it as a checklist that ends with the next steps. Throws a `failed` error
 * that names all parts that failed.
 */
export async function apply(
  plan: () => Promise<Plan>,
  { places }: SetupContext,
  options: ApplyOptions,
  context: Context,
): Promise<void> {
  const { dryRun, json, check } = options;
  const done = dryRun ? await plan() : await applyPlan(plan, places.installRecord, options);
  const { failures } = done;
  const changes = done.changes.filter(({ before, after }) => !isSameContent(before, after));
  const changed = !dryRun && done.commands.length + changes.length > 0;
  const ok = failures.length === 0;
  const checked = ok && !dryRun && check ? await check(changed) : [];
  const report = { ...done, changes, lines: [...done.lines, ...checked] };
  const text = json
    ? printableJson({ ok, changed, dry_run: dryRun, ...renderJson(report) })
    : renderText({ ...report, next: changed ? done.next : [] }, places.home, options, context);
  if (text !== "") context.print(text);
  if (ok) return;
  const fixes = failures.map((error) => (error instanceof RelayError ? error.fix : ""));
  const fix = [...new Set(fixes)].filter(Boolean).join(" ");
  throw new RelayError("failed", failures.map(({ message }) => message).join("; "), fix);
}

/** Applies a plan with Claude Code in it, and repeats what doctor says of the buffer and of Claude Code's view. Throws as {@link apply}. */
export async function applyForCode(
  plan: () => Promise<Plan>,
  setup: SetupContext,
  options: ApplyOptions,
  context: Context,
): Promise<void> {
  const check = async (changed: boolean) => {
    const configuration = readConfiguration(setup.places, setup.folder);
    const bufferPath = () => bufferOverride(setup) ?? setup.places.defaultBufferPath;
    const warn = (section: Section, findings: Finding[]) =>
      findings.flatMap(({ name, detail, fix }) => (fix ? problems(section, [`${name}: ${detail}. ${fix}`]) : []));
    return [
      ...warn("This machine", checkBuffer({ bufferPath })),
      ...warn("Claude Code", await checkEffect({ configuration, context: setup })),
      ...((await options.check?.(changed)) ?? []),
    ];
  };
  return apply(plan, setup, { ...options, check }, context);
}

function renderJson({ commands, changes, lines, next }: Plan) {
  const isProblem = ({ mark }: Line) => mark === "!";
  return {
    steps: [
      ...commands.map(({ argv, what }) => ({ what, command: argv })),
      ...changes.map(({ path, what }) => ({ what, path })),
    ],
    warnings: lines.filter(isProblem).map(({ text }) => text),
    next,
    state: lines.filter((line) => !isProblem(line)),
  };
}

function renderText(
  { commands, changes, lines, next, failures }: Plan,
  home: string,
  { dryRun, nothing = "relay is already set up; nothing to change.", remains = [] }: ApplyOptions,
  context: Context,
): string {
  const folder = join(home, sep);
  const shortened = (text: string) => (folder === sep ? text : text.replaceAll(folder, `~${sep}`));
  const planned = [
    ...commands.map(({ argv, ...step }) => ({ ...step, text: `${step.what}: ${argv.map(shellWord).join(" ")}` })),
    ...changes.map((change) => ({
      ...change,
      text: `${change.what}: ${shortened(change.path)}`,
      block: diffOf(change),
    })),
  ];
  const done = [
    ...commands.flatMap(({ done, ...step }) => done.map((text) => ({ ...step, text }))),
    ...changes.flatMap(({ done, path, ...step }) =>
      done.map((text) => ({ ...step, text: `${text}: ${shortened(path)}` })),
    ),
  ];
  const isNothing = planned.length === 0 && failures.length === 0;
  const state = lines.map((line) => (line.mark === "✓" ? { ...line, text: shortened(line.text) } : line));
  const last = [...(isNothing ? [nothing] : []), ...(dryRun ? ["Nothing was changed: this was a dry run."] : remains)];
  return renderChecklist([...(dryRun ? planned : done), ...state], { steps: next, last }, context);
}

function diffOf({ before, after }: FileChange): string {
  return unifiedDiff(before?.toString() ?? "", after?.toString() ?? "");
}
