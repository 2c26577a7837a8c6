import { statSync } from "node:fs";
import { RelayError } from "../core/errors.ts";
import { makeVisible, printableJson } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import { checkBuffer } from "../doctor/buffer-check.ts";
import { readConfiguration } from "../doctor/configuration.ts";
import { checkEffect } from "../doctor/effect-check.ts";
import { unifiedDiff } from "../setup/diff.ts";
import { applyPlan, type FileChange, type Plan } from "../setup/plan.ts";
import { bufferOverride, type SetupContext } from "../setup/setup-context.ts";
import { shellWord } from "../setup/shell-words.ts";
import { isSameContent } from "../setup/write-file.ts";
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
  /** The report of an empty plan; by default that relay is already set up. */
  nothing?: string;
  /** An error stops only its own part. */
  continueOnError?: boolean;
  /** Says what is still wrong after the work. */
  warn?: () => Promise<string[]>;
}

/**
 * Applies a plan, or only shows it, and reports the changes and the next steps. Answers whether anything changed. Throws a
 * `failed` error that names all parts that failed.
 */
export async function apply(
  plan: () => Promise<Plan>,
  { places }: SetupContext,
  options: ApplyOptions,
  { print }: Context,
): Promise<boolean> {
  const { dryRun, json } = options;
  const done = dryRun ? await plan() : await applyPlan(plan, places.installRecord, options);
  const { failures } = done;
  const changes = done.changes.filter(({ before, after }) => !isSameContent(before, after));
  const changed = !dryRun && done.commands.length + changes.length > 0;
  const ok = failures.length === 0;
  const left = ok && !dryRun && options.warn ? await options.warn() : [];
  const report = { ...done, changes, warnings: [...done.warnings, ...left] };
  const text = json
    ? printableJson({ ok, changed, dry_run: dryRun, ...renderJson(report) })
    : makeVisible(renderText(report, options)).text;
  if (text !== "") print(text);
  if (ok) return changed;
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
): Promise<boolean> {
  const warn = async () => {
    const configuration = readConfiguration(setup.places, setup.folder);
    const bufferPath = () => bufferOverride(setup) ?? setup.places.defaultBufferPath;
    const findings = [...checkBuffer({ bufferPath }), ...(await checkEffect({ configuration, context: setup }))];
    return findings.flatMap(({ name, detail, fix }) => (fix ? [`${name}: ${detail}. ${fix}`] : []));
  };
  return apply(plan, setup, { ...options, warn }, context);
}

function renderJson({ commands, changes, warnings, next }: Plan) {
  return {
    steps: [
      ...commands.map(({ argv, what }) => ({ what, command: argv })),
      ...changes.map(({ path, what }) => ({ what, path })),
    ],
    warnings,
    next,
  };
}

function renderText(
  { commands, changes, warnings, next, failures }: Plan,
  { dryRun, nothing = "relay is already set up; nothing to change." }: ApplyOptions,
): string {
  const isNothing = commands.length + changes.length === 0;
  const lines = [
    ...commands.map(({ argv, what }) => `relay: ${what}: ${argv.map(shellWord).join(" ")}`),
    ...changes.map((change) => `relay: ${change.path}: ${change.what}${dryRun ? `\n${diffOf(change)}` : ""}`),
    ...(isNothing && failures.length === 0 ? [nothing] : []),
    ...(dryRun ? ["relay: nothing was changed: this was a dry run."] : []),
    ...warnings.map((warning) => `relay: warning: ${warning}`),
    ...(dryRun || isNothing ? [] : next.map((step) => `relay: next: ${step}`)),
  ];
  return lines.join("\n");
}

function diffOf({ before, after }: FileChange): string {
  return unifiedDiff(before?.toString() ?? "", after?.toString() ?? "");
}
