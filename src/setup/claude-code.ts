import { receivedFolder } from "../platform/paths.ts";
import { shellWord, shellWords } from "./shell-words.ts";

/** The possible names of each command: the second one for a person who has a command of the first name. */
export const commandNames = { get: ["get", "relay"], send: ["send", "relay-send"] } as const;

/** A command of relay's: `get` reads messages, `send` sends the person's words. */
export type CommandKind = keyof typeof commandNames;

/** All commands of relay's. */
export const commandKinds = ["get", "send"] as const satisfies readonly CommandKind[];

/** All names that a command of relay's may have. */
export const allCommandNames: readonly string[] = [...commandNames.get, ...commandNames.send];

const descriptions: Record<CommandKind, { description: string; hint: string }> = {
  get: { description: "Read what Claude Desktop sent", hint: "[again | all | status | clear | help | ID]" },
  send: { description: "Send words of yours to Claude Desktop", hint: "[words for Desktop]" },
};

/**
 * The file of a command, `~/.claude/commands/NAME.md`. It is closed to the model, and its one inline slot runs before the
 * model sees anything. Words after the command reach relay through the hook, because `$ARGUMENTS` in a slot would be pasted
 * into a shell (facts.md, "/get, tickets, hooks"). The slot of `send` runs only where no hook does, and then says so. A
 * `buffer` that is `null` is the program's default.
 */
export function commandFile(program: string, buffer: string | null = null, kind: CommandKind = "get"): string {
  const run = slot(program, buffer);
  const { description, hint } = descriptions[kind];
  return `---
description: ${description}
argument-hint: ${JSON.stringify(hint)}
disable-model-invocation: true
allowed-tools: ${allowedTools(run)}
---
!\`${run}\`
`;
}

/** A command file for another program and buffer. Keeps a person's description and hint. */
export function withProgram(text: string, program: string, buffer: string | null): string {
  const run = slot(program, buffer);
  return text
    .replace(/^allowed-tools:.*?(?=\r?$)/m, () => `allowed-tools: ${allowedTools(run)}`)
    .replace(/!`[^`\n]*`/, () => `!\`${run}\``);
}

/** The shell command that Claude Code runs for the command. */
function slot(program: string, buffer: string | null): string {
  return relayCommand(program, "typed", buffer);
}

// A project's settings may set RELAY_DB for all that Claude Code starts, and the flag wins.
function relayCommand(program: string, words: string, buffer: string | null): string {
  return [shellWord(program), words, ...bufferFlag(buffer).map(shellWord)].join(" ");
}

/** The arguments that name the buffer; none for the program's default. */
export function bufferFlag(buffer: string | null): string[] {
  return buffer === null ? [] : ["--db", buffer];
}

/** The flag of a server by which the person lets Claude Desktop's model send files from a folder, or from none by `off`. */
export const filesFlag = "--allow-files";

// A rule never matches a parenthesis in a path, but a star matches one. For Claude Code three dashes end the front matter
// wherever they stand (read in 2.1.330). In YAML a space and a hash start a comment.
function allowedTools(run: string): string {
  const rule = `Bash(${run.replaceAll(/[()]|-{3,}/g, "*")})`;
  return /\s#|:\s|"/.test(rule) ? JSON.stringify(rule) : rule;
}

/** The program and the buffer that a command of this text starts; `null` if it is not relay's, or may be open to models. */
export function parseCommandFile(text: string): Started | null {
  const unix = text.replaceAll("\r\n", "\n").replaceAll(pluginProgram, "relay");
  const started = parseSlot(/!`([^`\n]*)`\s*$/.exec(unix)?.[1]);
  if (!started) return null;
  const written = commandFile(started.program, started.buffer);
  return unix === written || frame(unix) === frame(written) ? started : null;
}

// How the plugin's files name its program.
const pluginProgram = `"\${CLAUDE_PLUGIN_ROOT}/launcher/relay"`;

// Any other line, and any other kind of value, could mean something else to Claude Code's reader than to this one.
function frame(text: string): string {
  return text
    .replace(/^---\nname: (?:get|send)\n/, "---\n")
    .replace(
      /^(description|argument-hint): (?:\p{L}[\p{L}\p{M}\p{N} ,.;!?()/'-]*|"[^"\\\p{C}\p{Zl}\p{Zp}]*")(?:\nmodel: [\w.]+(?:-[\w.]+)*)?$/gmu,
      (line, key) => (line.includes("---") ? line : `${key}:`),
    )
    .trimEnd();
}

/** Whether a command or skill of this text is relay's, and Claude Code closes it to the model. */
export function isCommandFile(text: string): boolean {
  return parseCommandFile(text) !== null;
}

/** Whether a command file is as setup writes it, for any program and buffer. */
export function isUneditedCommandFile(text: string): boolean {
  const started = parseCommandFile(text);
  if (started === null) return false;
  return commandKinds.some((kind) => text === commandFile(started.program, started.buffer, kind));
}

/** Whether a shell command is relay's slot. */
export function isSlot(command: unknown): boolean {
  return parseSlot(command) !== null;
}

/** A program of relay, and its buffer; `null` is the program's default. */
export interface Started {
  program: string;
  buffer: string | null;
}

function parseSlot(command: unknown): Started | null {
  const [program, verb, ...flag] = shellWords(command);
  return verb === "typed" ? started(program, flag) : null;
}

/** What the words of a command start, given its program and the words after its verb; `null` if that is not relay. */
export function started(program: unknown, flag: readonly unknown[]): Started | null {
  const [name, buffer = null, ...rest] = flag;
  const isComplete = name === undefined || (name === "--db" && typeof buffer === "string" && rest.length === 0);
  return isRelay(program) && isComplete ? { program, buffer: buffer as string | null } : null;
}

/** Whether a path is that of a relay binary, in any folder. */
export function isRelay(path: unknown): path is string {
  return typeof path === "string" && /(?:^|[/\\])relay(?:\.exe)?$/.test(path);
}

/**
 * The permission rules for a server named `relay` and a buffer at this path (`null`: the default one): a model may send
 * and read the files of messages without a question, and may read neither the buffer's file nor the
 * URL of a database.
 */
export function permissionRules(buffer: string | null): { allow: string[]; deny: string[] } {
  const files = buffer ? absolutePattern(receivedFolder(buffer)) : "~/.relay_files";
  return {
    allow: [sendRule, filesRule(files)],
    deny: [savedUrlRule("~"), bufferRule(buffer ? absolutePattern(buffer) : "~/.relay_buffer.db")],
  };
}

/** The rules for a Claude Code in WSL with the Windows relay, whose buffer is in a home folder on a Windows disk. */
export function permissionRulesInWsl(): { allow: string[]; deny: string[] } {
  const home = "//mnt/?/Users/*";
  return {
    allow: [sendRule, filesRule(`${home}/.relay_files`)],
    deny: [savedUrlRule(home), bufferRule(`${home}/.relay_buffer.db`)],
  };
}

const sendRule = "mcp__relay__relay_send";

function filesRule(pattern: string): string {
  return `Read(${pattern}/**)`;
}

// What `relay connect` keeps may have a password.
function savedUrlRule(home: string): string {
  return `Read(${home}/.relay_url)`;
}

function bufferRule(pattern: string): string {
  return `Read(${pattern}*)`;
}

// A rule's path follows gitignore: two slashes for the root, and a question mark in place of a special character. On
// Windows the drive is its first folder (documents of Claude Code, "Permissions").
function absolutePattern(path: string): string {
  const posix = path.replaceAll("\\", "/").replace(/^([A-Za-z]):/, (_, drive: string) => `/${drive.toLowerCase()}`);
  return `/${posix.replaceAll(/[()[\]{}*!#]/g, "?")}`;
}

/** The command to exclude from Claude Code's sandbox, which cannot write the home folder. */
export function sandboxExclusion(program: string, buffer: string | null = null): string {
  return slot(program, buffer);
}

/** An entry of `mcpServers` that starts relay. */
export interface ServerEntry {
  type?: "stdio";
  command: string;
  args: string[];
  env?: Record<string, string>;
}

/** Variables with which a project's settings could have Bun run other code than relay's; empty ones do nothing (seen). */
export const noBunOptions = { BUN_OPTIONS: "", BUN_BE_BUN: "" };

/** The server, as `claude mcp add-json` takes it. */
export function serverEntry(
  program: string,
  buffer: string | null = null,
  env: Record<string, string> = {},
): ServerEntry {
  const entry: ServerEntry = { type: "stdio", command: program, args: ["--client", "code", ...bufferFlag(buffer)] };
  return Object.keys(env).length > 0 ? { ...entry, env } : entry;
}
