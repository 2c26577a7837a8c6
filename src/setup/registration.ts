import { lstatSync } from "node:fs";
import { join } from "node:path";
import { RelayError } from "../core/errors.ts";
import { runProgram } from "../platform/process.ts";
import { mergeFile, unmergeFile } from "./json-file.ts";
import { jsonText } from "./json-text.ts";
import type { Errand, FileChange } from "./plan.ts";
import { needsShell } from "./program.ts";
import { type InstallRecord, type RegistrationRecord, withRegistration } from "./record.ts";
import { entryOver, ownerOf, type ServerEntry, serverPlacement } from "./servers.ts";
import type { Surroundings } from "./setup-context.ts";
import { readContent } from "./write-file.ts";

/** How a server gets registered. */
interface Registration {
  errands: Errand[];
  changes: FileChange[];
  /** What is left for the person to do. */
  next: string[];
}

/**
 * Registers the server for the person, by Claude Code itself, which rewrites its file whenever it likes. Throws a
 * `failed` error if a server of somebody else's has the name.
 */
export function planUserServer(
  record: InstallRecord,
  surroundings: Surroundings,
  claude: string,
  wanted: ServerEntry,
): Registration {
  const { claudeConfig: config, chosenFolder } = surroundings.places;
  const existing = registered(config);
  // what was cut off between taking the old entry out and putting the new one in
  const known = record.registrations.find((each) => each.config === config)?.entry;
  const entry = entryOver(wanted, existing ?? withoutPlace(known));
  if (Bun.deepEquals(existing, entry, true)) return { errands: [], changes: [], next: [] };
  refuseForeign(existing, config);
  if (needsShell(claude)) return { errands: [], changes: [], next: [byHand(entry)] };
  const call = caller(surroundings, chosenFolder);
  const argv = addition(claude, entry);
  const run = async () => {
    if (existing !== undefined) await call(removalOf(claude));
    try {
      await call(argv);
    } catch (error) {
      if (existing !== undefined) await call(addition(claude, existing)).catch(() => {}); // as it was
      throw error;
    }
    if (Bun.deepEquals(registered(config), entry, true)) return;
    throw new RelayError(
      "failed",
      `Claude Code said that it took the server, but ${config} does not have it. Run this again.`,
    );
  };
  const what =
    existing === undefined ? "registers the server" : "registers the server in place of the one there";
  const errand = { argv, what, record: { config, claudeFolder: chosenFolder, entry }, run };
  return { changes: [], errands: [errand], next: [] };
}

// Which buffer it opens is for this setup to say.
function withoutPlace(entry: unknown): unknown {
  const { env, ...others } = (entry ?? {}) as Partial<ServerEntry>;
  if (!env) return entry;
  const { RELAY_DB: _, WSLENV: __, ...own } = env;
  return { ...others, env: own };
}

// In a form that cmd.exe and PowerShell read alike, which quote JSON in ways of their own.
function byHand({ command, args, env = {} }: ServerEntry): string {
  const variables = Object.entries(env).map(([name, value]) => `-e "${name}=${value}" `);
  return `Register the server: claude mcp add --scope user ${variables.join("")}relay -- "${command}" ${args.join(" ")}`;
}

/** Where relay may be registered for the person: here, and wherever setup had it done. */
export function registrationPlaces(
  record: InstallRecord,
  { places }: Surroundings,
): Omit<RegistrationRecord, "entry">[] {
  const { claudeConfig: config, chosenFolder } = places;
  const others = record.registrations.filter((each) => each.config !== config);
  return [{ config, claudeFolder: chosenFolder }, ...others];
}

/**
 * What takes the registration at a place out again: by Claude Code's own program, or in the file itself if there is none
 * that would write it at the same time. Throws a `failed` error if the file cannot be read.
 */
export function planUserServerRemoval(
  record: InstallRecord,
  surroundings: Surroundings,
  claude: string | null,
  { config, claudeFolder }: Omit<RegistrationRecord, "entry">,
): Registration {
  const what = "takes the server out";
  const isKnown = record.registrations.some((each) => each.config === config);
  if (ownerOf(registered(config)) !== "relay") {
    const content = readContent(config);
    const forget = { path: config, before: content, after: content, what, record: null };
    return { errands: [], changes: isKnown ? [forget] : [], next: [] };
  }
  if (claude === null) {
    const change = unmergeFile(record, config, [serverPlacement({ command: "relay", args: [] })], what);
    return { errands: [], changes: change ? [change] : [], next: [] };
  }
  if (needsShell(claude))
    return { errands: [], changes: [], next: ["Take the server out: claude mcp remove relay"] };
  const argv = removalOf(claude);
  const call = caller(surroundings, claudeFolder);
  const done = (all: InstallRecord) => withRegistration(all, config, null);
  return { errands: [{ argv, what, run: () => call(argv), done }], changes: [], next: [] };
}

/** Runs Claude Code's program for the folder that it keeps its files in. */
function caller({ system, places }: Surroundings, claudeFolder: string | null) {
  const { CLAUDE_CONFIG_DIR: _, ...others } = system.variables;
  const env = claudeFolder ? { ...others, CLAUDE_CONFIG_DIR: claudeFolder } : others;
  return async (argv: string[]) => {
    const { failure } = await runProgram({ argv, env }, { folder: places.home });
    if (!failure) return;
    throw new RelayError(
      "failed",
      `\`claude ${argv.slice(1, 4).join(" ")}\` failed: it ${failure}. Mend that, and run this again.`,
    );
  };
}

/** Registers the server for everybody who works in this folder. Throws as {@link planUserServer}, and if the file is a link. */
export function planProjectServer(
  record: InstallRecord,
  { folder }: Surroundings,
  wanted: ServerEntry,
): Registration {
  const path = join(folder, ".mcp.json");
  refuseLink(path);
  const what = "registers the server for this project";
  const change = mergeFile(
    record,
    path,
    (json) => [checkedPlacement(json.at(["mcpServers", "relay"]), path, wanted)],
    what,
  );
  return { errands: [], changes: change ? [change] : [], next: [] };
}

/** relay's entry in this file. Throws a `failed` error if a server of somebody else's has the name. */
export function checkedPlacement(existing: unknown, path: string, wanted: ServerEntry) {
  refuseForeign(existing, path);
  return serverPlacement(wanted);
}

function addition(claude: string, entry: unknown): string[] {
  return [claude, "mcp", "add-json", "relay", JSON.stringify(entry), "--scope", "user"];
}

function removalOf(claude: string): string[] {
  return [claude, "mcp", "remove", "relay", "--scope", "user"];
}

function registered(config: string): unknown {
  const content = readContent(config);
  return content
    ? jsonText(content.toString().replace(/^\uFEFF/, ""), config).at(["mcpServers", "relay"])
    : undefined;
}

function refuseForeign(existing: unknown, path: string): void {
  if (existing === undefined || ownerOf(existing) !== "somebody") return;
  throw new RelayError(
    "failed",
    `${path} has another server by the name of relay. Rename that one, and run this again.`,
  );
}

// The folder is anybody's, and a link in it could lead to a file of the person's that has nothing to do with it.
function refuseLink(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new RelayError(
    "failed",
    `${path} is a link, which may lead out of this project. Put a file of its own there.`,
  );
}
