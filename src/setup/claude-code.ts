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
allowed-tools: Bash(${run.replaceAll(/[()]/g, "*")})
---
!\`${run}\`
`;
}

/** Whether a command or skill of this text is relay's: closed to the model, and nothing in it but that one slot. */
export function isCommandFile(text: string): boolean {
  const parts = /^---\r?\n([\s\S]*?)\r?\n---\s*\r?\n\s*!`([^`\n]*)`\s*$/.exec(text);
  const [, head = "", slot = ""] = parts ?? [];
  const [, program = ""] = /^(.*\S) typed$/.exec(slot) ?? [];
  const name = basename(program.replaceAll("\\", "/").replace(/["']$/, ""));
  return /^disable-model-invocation: true\r?$/m.test(head) && ["relay", "relay.exe"].includes(name);
}

/** An entry of a hook event in Claude Code's settings. Without a shell: `args` makes it exec form. */
interface HookEntry {
  matcher?: string;
  hooks: [{ type: "command"; command: string; args: string[]; timeout: number }];
}

/** The hooks that mint tickets and tell how many messages wait, as they stand in Claude Code's settings. */
export function hookEntries(program: string): Record<"UserPromptExpansion" | "SessionStart", HookEntry> {
  const hook = (event: string): HookEntry["hooks"] => [
    { type: "command", command: program, args: ["hook", event], timeout: hookSeconds },
  ];
  return {
    UserPromptExpansion: { matcher: commandNames.join("|"), hooks: hook("user-prompt-expansion") },
    SessionStart: { hooks: hook("session-start") },
  };
}

// A hook holds up the person's prompt; relay's own ends within a fraction of this.
const hookSeconds = 5;

/**
 * The permission rules for a server named `relay` and a buffer at this path: a model may send whenever it likes, and
 * its Read tool leaves the buffer alone.
 */
export function permissionRules(buffer: string): { allow: string[]; deny: string[] } {
  return { allow: ["mcp__relay__relay_send"], deny: [`Read(${buffer}*)`] };
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
export function serverEntry(program: string): { type: "stdio"; command: string; args: string[] } {
  return { type: "stdio", command: program, args: ["--client", "code"] };
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
