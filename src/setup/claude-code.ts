/** The names that the command may have: the second where the person has a first one of their own. */
export const commandNames = ["get", "relay"] as const;

/**
 * The file of the command that reads messages, `~/.claude/commands/NAME.md`: closed to the model, and one inline slot,
 * which runs before the model sees anything. Words after the command reach relay through the hook, because
 * `$ARGUMENTS` in a slot would be pasted into a shell (facts.md, "/get, tickets, hooks").
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

/** A command file, perhaps with a person's changes, for another program: its slot and the rule that allows it change. */
export function withProgram(text: string, program: string): string {
  return text
    .replace(/^allowed-tools:.*?(?=\r?$)/m, () => `allowed-tools: ${allowedTools(slot(program))}`)
    .replace(/!`[^`\n]*`/, () => `!\`${slot(program)}\``);
}

/** What Claude Code runs for the command. */
function slot(program: string): string {
  return `${shellWord(program)} typed`;
}

// A parenthesis in a path never matches, a star in its place does. In YAML a space and a hash begin a comment.
function allowedTools(run: string): string {
  const rule = `Bash(${run.replaceAll(/[()]/g, "*")})`;
  return /\s#|:\s|"/.test(rule) ? JSON.stringify(rule) : rule;
}

/** Whether a command or skill of this text is relay's: closed to the model, and nothing in it but that one slot. */
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

/** Whether a command for a shell is relay's own slot. */
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

/** The hooks that issue tickets and show how many messages wait, as Claude Code's settings have them. */
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

// Claude Code shows an error at every start for a program that is gone, so a shell looks first. By `exec` the program
// still is the process that Claude Code started. The arguments are data to the shell. Windows has no such shell.
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

// A hook delays the person's prompt; relay's own ends within a fraction of this.
const hookSeconds = 5;

/**
 * The permission rules for a server named `relay` and a buffer at this path (`null`: at the default one): a model may
 * send whenever it likes, and its Read tool leaves the buffer alone.
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

// A rule's path follows gitignore: two slashes for the root, and a question mark for what would mean something else.
// On Windows the drive is its first folder (documents of Claude Code, "Permissions").
function absolutePattern(path: string): string {
  const posix = path
    .replaceAll("\\", "/")
    .replace(/^([A-Za-z]):/, (_, drive: string) => `/${drive.toLowerCase()}`);
  return `/${posix.replaceAll(/[()[\]{}*!#]/g, "?")}`;
}

/** The command to leave out of Claude Code's sandbox, in which the home folder cannot be written. */
export function sandboxExclusion(program: string): string {
  return slot(program);
}

/** The status line: how many messages wait. */
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

/** A word for a POSIX shell. Claude Code uses one on Windows, too, where a path with slashes works as well. */
export function shellWord(path: string): string {
  const text = /^[A-Za-z]:\\/.test(path) ? path.replaceAll("\\", "/") : path;
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
