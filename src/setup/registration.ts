import { lstatSync } from "node:fs";
import { join } from "node:path";
import { RelayError } from "../core/errors.ts";
import { runProgram } from "../platform/process.ts";
import type { ServerEntry } from "./claude-code.ts";
import { askAdministrator, refuseObstacle } from "./claude-view.ts";
import { mergeFile, readJson, unmergeFile } from "./json-file.ts";
import type { JsonText } from "./json-text.ts";
import { changesOr, type Plan, type Step } from "./plan.ts";
import { needsShell } from "./program.ts";
import { type InstallRecord, type Registration, withoutFile, withRegistration } from "./record.ts";
import { mergeServer, ownerOf, serverIn } from "./servers.ts";
import type { SetupContext } from "./setup-context.ts";
import { readContent } from "./write-file.ts";

/**
 * Registers the server for the person through Claude Code, which may rewrite its file at any time. Throws a `failed` error
 * if another server has the name, or a policy forbids it.
 */
export function planUserServer(context: SetupContext, claude: string, wanted: ServerEntry): Partial<Plan> {
  const { claudeConfig: config, configDirOverride } = context.places;
  const existing = registered(config);
  const entry = mergeServer(wanted, existing);
  refuseObstacle(context, entry);
  if (Bun.deepEquals(existing, entry, true)) return changesOr([], section, "the server is registered");
  refuseOther(existing, config);
  if (needsShell(claude)) return { next: [byHand(entry)] };
  const call = caller(context, configDirOverride);
  const argv = addition(claude, entry);
  const run = async () => {
    if (existing !== undefined) await call(removal(claude));
    try {
      await call(argv);
    } catch (error) {
      if (existing !== undefined) await call(addition(claude, existing)).catch(() => {});
      throw error;
    }
    if (Bun.deepEquals(registered(config), entry, true)) return;
    throw new RelayError(
      "failed",
      `Claude Code reported success, but ${config} does not have the server`,
      "Run this again.",
    );
  };
  const [what, done] =
    existing === undefined
      ? ["registers the server", "registered the server, by `claude mcp add-json`"]
      : ["replaces the registered server", "replaced the registered server, by `claude mcp add-json`"];
  const recordBefore = (records: InstallRecord) => withRegistration(records, { config, configDirOverride });
  const part = JSON.stringify({ mcpServers: { relay: entry } });
  const command = { argv, run, recordBefore, path: config, byHand: part };
  return { commands: [{ section, mark: "+", what, done: [done], ...command }] };
}

// cmd.exe and PowerShell read this alike, but quote JSON in different ways. After `-e` Claude Code takes every word up to the
// dashes for a variable (seen, 2.1.330).
function byHand({ command, args, env = {} }: ServerEntry): string {
  const variables = Object.entries(env).map(([name, value]) => `-e "${name}=${value}" `);
  const words = args.map((word) => (/^[\w-]+$/.test(word) ? word : `"${word}"`));
  return `Register the server: claude mcp add --scope user relay ${variables.join("")}-- "${command}" ${words.join(" ")}`;
}

/** The possible registrations for the person: in this Claude Code, and those that the record names. */
export function allRegistrations({ registrations }: InstallRecord, { places }: SetupContext): Registration[] {
  const { claudeConfig: config, configDirOverride } = places;
  return [{ config, configDirOverride }, ...registrations.filter((other) => other.config !== config)];
}

/**
 * Removes a registration through Claude Code, or from the file if Claude Code is not installed. Throws a `failed` error if
 * the file cannot be read.
 */
export function planUserServerRemoval(
  records: InstallRecord,
  context: SetupContext,
  claude: string | null,
  { config, configDirOverride }: Registration,
): Partial<Plan> {
  if (ownerOf(registered(config)) !== "relay") {
    const content = readContent(config);
    const isRecorded = records.registrations.some((registration) => registration.config === config);
    return isRecorded
      ? { changes: [{ ...removesServer(section), path: config, before: content, after: content, record: null }] }
      : {};
  }
  if (claude === null) return planServerFileRemoval(records, config, removesServer(section));
  if (needsShell(claude)) return { next: ["Remove the server: claude mcp remove relay"] };
  const argv = removal(claude);
  const call = caller(context, configDirOverride);
  const recordAfter = (record: InstallRecord) => withoutFile(record, config);
  const step = removesServer(section);
  return { commands: [{ ...step, argv, run: () => call(argv), recordAfter }] };
}

/** Removes relay's entry from a file with `mcpServers`. Throws a `failed` error if the file cannot be read. */
export function planServerFileRemoval(records: InstallRecord, path: string, step: Step): Partial<Plan> {
  return { changes: unmergeFile(records, path, [serverIn({ command: "relay", args: [] })], step) };
}

/** A function that runs Claude Code's program for this configuration folder. */
function caller({ system, places }: SetupContext, configDirOverride: string | null) {
  const { CLAUDE_CONFIG_DIR: _, ...others } = system.variables;
  const env = configDirOverride ? { ...others, CLAUDE_CONFIG_DIR: configDirOverride } : others;
  return async (argv: string[]) => {
    const { failure } = await runProgram({ argv, env }, { folder: places.home });
    if (!failure) return;
    const command = argv.slice(1, 4).join(" ");
    const fix = /enterprise/.test(failure) ? askAdministrator : "Fix that, and run this again."; // a policy from elsewhere
    throw new RelayError("failed", `\`claude ${command}\` failed: it ${failure}`, fix);
  };
}

/** Registers the server for everybody in this project. Throws as {@link planUserServer}, and if the file is a link. */
export function planProjectServer(records: InstallRecord, context: SetupContext, wanted: ServerEntry): Partial<Plan> {
  refuseObstacle(context, wanted);
  const path = join(context.folder, ".mcp.json");
  refuseLink(path);
  return planServerFile(records, path, wanted, {
    section,
    mark: "+",
    what: "registers the server for this project",
    done: ["registered the server for this project"],
  });
}

/** Puts relay's entry into a file with `mcpServers`. Throws a `failed` error if another server has the name. */
export function planServerFile(records: InstallRecord, path: string, wanted: ServerEntry, step: Step): Partial<Plan> {
  const entriesFor = (json: JsonText) => {
    refuseOther(json.at(["mcpServers", "relay"]), path);
    return [serverIn(wanted)];
  };
  const changes = mergeFile(records, path, entriesFor, () => step);
  return changesOr(changes, step.section, `the server is registered in ${path}`);
}

const section = "Claude Code";

/** The words for the removal of a server from this Claude. */
export function removesServer(from: Step["section"]): Step {
  return { section: from, mark: "–", what: "removes the server", done: ["removed the server"] };
}

function addition(claude: string, entry: unknown): string[] {
  return [claude, "mcp", "add-json", "relay", JSON.stringify(entry), "--scope", "user"];
}

function removal(claude: string): string[] {
  return [claude, "mcp", "remove", "relay", "--scope", "user"];
}

function registered(config: string): unknown {
  return readJson(config).at(["mcpServers", "relay"]);
}

function refuseOther(existing: unknown, path: string): void {
  if (existing === undefined || ownerOf(existing) !== "other") return;
  throw new RelayError(
    "failed",
    `${path} has another server by the name of relay`,
    "Rename that server, and run this again.",
  );
}

// In a folder that others write, a link may lead to a file of the person's outside the project.
function refuseLink(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new RelayError(
    "failed",
    `${path} is a link, which may lead out of this project`,
    "Replace it with a regular file.",
  );
}
