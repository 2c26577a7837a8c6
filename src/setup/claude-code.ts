import { basename } from "node:path";

/** The names the command may have: the second where somebody's own first one stands. */
export const commandNames = ["get", "relay"] as const;

/**
 * The file of the command that reads messages, `~/.claude/commands/NAME.md`: closed to the model, and one inline slot,
 * which runs before the model sees anything. Words after the command reach relay through the hook, because
 * `$ARGUMENTS` in a slot would be pasted into a shell (facts.md, "/get, tickets, hooks").
 */
export function commandFile(program: string): string {
  const run = `${shellWord(program)} typed`;
  return `---
description: Read what Claude Desktop sent, or send words to it
argument-hint: "[again | status | clear | words for Desktop]"
disable-model-invocation: true
allowed-tools: ${allowedTools(run)}
---
!\`${run}\`
`;
}

/**
 * A command file, which somebody may have added to, with another program in it: its slot and the rule that lets it run
 * change, and nothing else.
 */
export function repointed(text: string, program: string): string {
  const run = `${shellWord(program)} typed`;
  return text
    .replace(/^allowed-tools:.*?(?=\r?$)/m, () => `allowed-tools: ${allowedTools(run)}`)
    .replace(/!`[^`\n]*`/, () => `!\`${run}\``);
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

/** The program that a command of this text runs; `null` if it is not relay's. */
export function commandProgram(text: string): string | null {
  const parts = /^---\r?\n([\s\S]*?)\r?\n---\s*\r?\n\s*!`([^`\n]*)`\s*$/.exec(text);
  const [, head = "", slot = ""] = parts ?? [];
  const [, word = ""] = /^(.*\S) typed$/.exec(slot) ?? [];
  const program = word.replace(/^(["'])(.*)\1$/, (_, quote, inner: string) =>
    quote === "'" ? inner.replaceAll("'\\''", "'") : inner,
  );
  const name = basename(program.replaceAll("\\", "/"));
  const isOurs = /^disable-model-invocation: true\r?$/m.test(head) && ["relay", "relay.exe"].includes(name);
  return isOurs ? program : null;
}

/** An entry of a hook event in Claude Code's settings. Without a shell that reads it: `args` makes it exec form. */
interface HookEntry {
  matcher?: string;
  hooks: [HookCommand];
}

interface HookCommand {
  type: "command";
  command: string;
  args: string[];
  timeout: number;
}

/** The hooks that mint tickets and tell how many messages wait, as they stand in Claude Code's settings. */
export function hookEntries(
  program: string,
  isWindows: boolean,
): Record<"UserPromptExpansion" | "SessionStart", HookEntry> {
  const hook = (event: (typeof hookEvents)[number]): HookEntry["hooks"] => [
    { type: "command", ...guarded([program, "hook", event], isWindows), timeout: hookSeconds },
  ];
  return {
    UserPromptExpansion: { matcher: commandNames.join("|"), hooks: hook("user-prompt-expansion") },
    SessionStart: { hooks: hook("session-start") },
  };
}

// Claude Code shows an error at every start for a program that is gone, so a shell looks first. It becomes the program,
// which therefore still is what Claude Code started. The arguments are data to it. Windows has no such shell.
const ifThere = '[ ! -x "$0" ] || exec "$0" "$@"';

function guarded(argv: string[], isWindows: boolean): Pick<HookCommand, "command" | "args"> {
  const [command = "", ...args] = argv;
  return isWindows ? { command, args } : { command: "/bin/sh", args: ["-c", ifThere, ...argv] };
}

/** The program of relay that a hook of Claude Code's settings runs; `null` if it runs something else. */
export function hookProgram(hook: unknown): string | null {
  const { command, args } = (hook ?? {}) as Record<string, unknown>;
  if (typeof command !== "string" || !Array.isArray(args)) return null;
  const [program, verb, event] = args[1] === ifThere ? args.slice(2) : [command, ...args];
  const isOurs = verb === "hook" && hookEvents.includes(event as never) && isRelay(program);
  return isOurs ? program : null;
}

/** Whether a path is that of a relay binary, whatever folder it is in. */
export function isRelay(path: unknown): path is string {
  return typeof path === "string" && /(?:^|[/\\])relay(?:\.exe)?$/.test(path);
}

const hookEvents = ["user-prompt-expansion", "session-start"] as const;

// A hook holds up the person's prompt; relay's own ends within a fraction of this.
const hookSeconds = 5;

/**
 * The permission rules for a server named `relay` and a buffer at this path, or at the usual one: a model may send
 * whenever it likes, and its Read tool leaves the buffer alone.
 */
export function permissionRules(buffer: string | null): { allow: string[]; deny: string[] } {
  return {
    allow: ["mcp__relay__relay_send"],
    deny: [bufferRule(buffer ? absolutePattern(buffer) : "~/.relay_buffer.db")],
  };
}

/** The same for a Claude Code in WSL whose relay is the Windows one: its buffer is in a home folder on a Windows disk. */
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

/** What the sandbox of Claude Code, where it is on, must leave out: there the home folder cannot be written. */
export function sandboxExclusion(program: string): string {
  return `${shellWord(program)} typed`;
}

/** The status line: how many messages wait. */
export function statusLine(program: string): { type: "command"; command: string } {
  return { type: "command", command: `${shellWord(program)} statusline` };
}

/** The server, as `claude mcp add-json` takes it. */
export function serverEntry(
  program: string,
  env: Record<string, string> = {},
): { type: "stdio"; command: string; args: string[]; env?: Record<string, string> } {
  const entry = { type: "stdio", command: program, args: ["--client", "code"] } as const;
  return { ...entry, args: [...entry.args], ...(Object.keys(env).length > 0 && { env }) };
}

// Claude Code runs slots and the status line with a POSIX shell, on Windows too, where it takes slashes as well.
function shellWord(path: string): string {
  const text = /^[A-Za-z]:\\/.test(path) ? path.replaceAll("\\", "/") : path;
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
