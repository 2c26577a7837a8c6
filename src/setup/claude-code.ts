/** The possible names of the command: the second one for a person who has a command of the first name. */
export const commandNames = ["get", "relay"] as const;

/**
 * The file of the command that reads messages, `~/.claude/commands/NAME.md`. It is closed to the model, and its one inline
 * slot runs before the model sees anything. Words after the command reach relay through the hook, because `$ARGUMENTS` in
 * a slot would be pasted into a shell (facts.md, "/get, tickets, hooks").
 */
export function commandFile(program: string): string {
  return `---
description: Read what Claude Desktop sent, or send words to it
argument-hint: "[again | status | clear | words for Desktop]"
disable-model-invocation: true
allowed-tools: ${allowedTools(slot(program))}
---
!\`${slot(program)}\`
`;
}

/** A command file for another program. Keeps a person's changes to all but the slot and the rule that allows it. */
export function withProgram(text: string, program: string): string {
  return text
    .replace(/^allowed-tools:.*?(?=\r?$)/m, () => `allowed-tools: ${allowedTools(slot(program))}`)
    .replace(/!`[^`\n]*`/, () => `!\`${slot(program)}\``);
}

/** The shell command that Claude Code runs for the command. */
function slot(program: string): string {
  return `${shellWord(program)} typed`;
}

// A rule never matches a parenthesis in a path, but a star matches one. In YAML a space and a hash start a comment.
function allowedTools(run: string): string {
  const rule = `Bash(${run.replaceAll(/[()]/g, "*")})`;
  return /\s#|:\s|"/.test(rule) ? JSON.stringify(rule) : rule;
}

/** Whether a command or skill of this text is relay's: closed to the model, with nothing but relay's slot. */
export function isCommandFile(text: string): boolean {
  return commandProgram(text) !== null;
}

/** Whether a command file is as setup writes it, for any program. */
export function isUneditedCommandFile(text: string): boolean {
  const program = commandProgram(text);
  return program !== null && text === commandFile(program);
}

/** The program that a command of this text runs; `null` if it is not relay's. */
export function commandProgram(text: string): string | null {
  const [, head = "", run = ""] = /^---\r?\n([\s\S]*?)\r?\n---\s*\r?\n\s*!`([^`\n]*)`\s*$/.exec(text) ?? [];
  return /^disable-model-invocation: true\r?$/m.test(head) ? slotProgram(run) : null;
}

/** Whether a shell command is relay's slot. */
export function isSlot(command: unknown): boolean {
  return typeof command === "string" && slotProgram(command) !== null;
}

function slotProgram(run: string): string | null {
  const [, word = ""] = /^(.*\S) typed$/.exec(run) ?? [];
  const program = word.replace(/^(["'])(.*)\1$/, (_, quote, inner: string) =>
    quote === "'" ? inner.replaceAll("'\\''", "'") : inner,
  );
  return isRelay(program) ? program : null;
}

/** The hooks that issue tickets and report waiting messages, as Claude Code's settings have them. */
export function hookEntries(program: string, isWindows: boolean) {
  const hook = (event: (typeof hookEvents)[number]) => {
    const [command, ...args] = guarded([program, "hook", event], isWindows);
    return { type: "command", command, args, timeout: hookSeconds };
  };
  return {
    UserPromptExpansion: { matcher: commandNames.join("|"), hooks: [hook("user-prompt-expansion")] },
    SessionStart: { hooks: [hook("session-start")] },
  };
}

// For a missing program Claude Code shows an error at every start, so a shell looks first. It runs the program by `exec`,
// in the process that Claude Code started, and takes the arguments as data. Windows has no such shell.
const ifThere = '[ ! -x "$0" ] || exec "$0" "$@"';

// With `args` in a hook, Claude Code itself uses no shell.
function guarded(argv: string[], isWindows: boolean): string[] {
  return isWindows ? argv : ["/bin/sh", "-c", ifThere, ...argv];
}

/** The path of relay in a hook of Claude Code's settings; `null` if the hook runs something else. */
export function hookProgram(hook: unknown): string | null {
  const { command, args } = (hook ?? {}) as Record<string, unknown>;
  if (typeof command !== "string" || !Array.isArray(args)) return null;
  const [program, verb, event] = args[1] === ifThere ? args.slice(2) : [command, ...args];
  const isOurs = verb === "hook" && hookEvents.includes(event as never) && isRelay(program);
  return isOurs ? program : null;
}

/** Whether a path is that of a relay binary, in any folder. */
export function isRelay(path: unknown): path is string {
  return typeof path === "string" && /(?:^|[/\\])relay(?:\.exe)?$/.test(path);
}

const hookEvents = ["user-prompt-expansion", "session-start"] as const;

// A hook delays the person's prompt. relay's ends within a fraction of this.
const hookSeconds = 5;

/**
 * The permission rules for a server named `relay` and a buffer at this path (`null`: the default one): a model may send
 * without a question, and may not read the buffer's file.
 */
export function permissionRules(buffer: string | null): { allow: string[]; deny: string[] } {
  return {
    allow: ["mcp__relay__relay_send"],
    deny: [bufferRule(buffer ? absolutePattern(buffer) : "~/.relay_buffer.db")],
  };
}

/** The rules for a Claude Code in WSL with the Windows relay, whose buffer is in a home folder on a Windows disk. */
export function permissionRulesInWsl(): { allow: string[]; deny: string[] } {
  return { ...permissionRules(null), deny: [bufferRule("//mnt/?/Users/*/.relay_buffer.db")] };
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
export function sandboxExclusion(program: string): string {
  return slot(program);
}

/** The status line, with the number of waiting messages. */
export function statusLine(program: string): { type: "command"; command: string } {
  return { type: "command", command: `${shellWord(program)} statusline` };
}

/** An entry of `mcpServers` that starts relay. */
export interface ServerEntry {
  type?: "stdio";
  command: string;
  args: string[];
  env?: Record<string, string>;
}

/** The server, as `claude mcp add-json` takes it. */
export function serverEntry(program: string, env: Record<string, string> = {}): ServerEntry {
  const entry: ServerEntry = { type: "stdio", command: program, args: ["--client", "code"] };
  return Object.keys(env).length > 0 ? { ...entry, env } : entry;
}

/** A word for a POSIX shell. On Windows, where Claude Code uses one too, a path gets slashes. */
export function shellWord(path: string): string {
  const text = /^[A-Za-z]:\\/.test(path) ? path.replaceAll("\\", "/") : path;
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
