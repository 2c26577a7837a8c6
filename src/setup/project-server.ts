import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { readTextOrNull, realPathOrNull } from "../platform/files.ts";
import { bufferFlag, filesFlag, isRelay, type Started } from "./claude-code.ts";

/** The place of a project's own server in Claude Code's file, for those that a person keeps there for one folder. */
export function localServer(folder: string): string[] {
  return ["projects", folder, "mcpServers", "relay"];
}

/** The person's own server. `find` looks for a program in PATH, which a project's settings may change. */
interface Own extends Started {
  find: (program: string) => string | null;
}

/**
 * Whether a project's server called relay is the person's own: the same program or the relay in PATH, with the same buffer
 * and no other files or variables, as `setup-code --scope project` registers it.
 */
export function isPersonsServer(entry: unknown, { program, buffer, find }: Own): boolean {
  const { command, args, env = {} } = Object(entry);
  const words = Array.isArray(args) ? args.map((word) => (typeof word === "string" ? word : "")) : [];
  const own = bufferFlag(buffer)[1];
  const isSameBuffer = words.every(
    (word, index) => !word.startsWith("--db") || (word === "--db" && words[index + 1] === own),
  );
  const variables = Object.entries(Object(env)).filter(([name, value]) => name !== "RELAY_DB" || value !== own);
  const path = command === "relay" ? (find(command) ?? program) : command; // without one there, nothing starts
  const isProgram = isRelay(path) && realPathOrNull(path) === realPathOrNull(program);
  const isWider = words.some((word) => word.startsWith(filesFlag)); // it would let a model send other files
  return isProgram && words.includes("--client") && isSameBuffer && !isWider && variables.length === 0;
}

/**
 * The file with a project's server called relay that takes the place of the person's in this folder; `null` if none does.
 * For the start of a session: it parses only files that may name such a server, and skips damaged ones.
 */
export function fileOfOtherServer(folder: string, claudeConfig: string, own: Own): string | null {
  const folders = [folder];
  for (let parent = dirname(folder); parent !== folders.at(-1); parent = dirname(parent)) folders.push(parent);
  const isOther = (entry: unknown) => entry !== undefined && !isPersonsServer(entry, own);
  const config = parse(claudeConfig);
  const root = folders.find((path) => existsSync(join(path, ".git"))) ?? folder;
  if ([folder, root].some((path) => isOther(config.projects?.[path]?.mcpServers?.relay))) return claudeConfig;
  const files = folders.map((path) => join(path, ".mcp.json"));
  return files.find((path) => isOther(parse(path).mcpServers?.relay)) ?? null;
}

interface Servers {
  mcpServers?: { relay?: unknown };
}

function parse(path: string): Servers & { projects?: Record<string, Servers | undefined> } {
  const text = readTextOrNull(path)?.replace(/^\uFEFF/, "") ?? "";
  if (!/"relay"|\\u/.test(text)) return {};
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
