import { allCommandNames, bufferFlag, type Started, started } from "./claude-code.ts";
import { shellWord, shellWords } from "./shell-words.ts";

/** The hooks that issue tickets and report waiting messages, as Claude Code's settings have them. */
export function hookEntries(program: string, isWindows: boolean, buffer: string | null = null) {
  // on Windows a hook may run in either of two shells, so there Claude Code starts the program itself (never tried)
  const hook = (event: (typeof hookEvents)[number]) => {
    const start = isWindows
      ? { command: program, args: ["hook", event, ...bufferFlag(buffer)] }
      : { command: hookLine(program, event, buffer) };
    return { type: "command", ...start, timeout: hookSeconds };
  };
  return {
    UserPromptExpansion: { matcher, hooks: [hook("user-prompt-expansion")] },
    SessionStart: { hooks: [hook("session-start")] },
  };
}

/**
 * The shell command of a hook. It has no `args`, because older versions of Claude Code, and other programs that run its
 * hooks, ignore them and run `command` alone, with the event as input. It uses `exec`, so that Claude Code is the parent;
 * runs in a folder that exists, without a project's variables for Bun; and is silent without the program.
 */
function hookLine(program: string, event: string, buffer: string | null): string {
  const words = ["hook", event, ...bufferFlag(buffer).map(shellWord)];
  return `${lineStart}${shellWord(program)}${lineMiddle}${words.join(" ")}`;
}

const lineStart = "cd /; unset BUN_OPTIONS BUN_BE_BUN; relay=";
const lineMiddle = '; [ ! -x "$relay" ] || exec "$relay" ';

// The first arguments of hooks by earlier versions of relay, which started /bin/sh.
const earlierGuard = ["-c", '[ ! -x "$0" ] || exec "$0" "$@"'];

/** What a hook of Claude Code's settings starts; `null` if that is not relay. */
export function parseHook(hook: unknown): Started | null {
  const { command, args } = (hook ?? {}) as Record<string, unknown>;
  if (typeof command !== "string") return null;
  const [program, verb, event, ...flag] = Array.isArray(args) ? argvOf(command, args) : argvOfLine(command);
  return verb === "hook" && hookEvents.includes(event as never) ? started(program, flag) : null;
}

function argvOf(command: string, args: unknown[]): unknown[] {
  return args[1] === earlierGuard[1] ? args.slice(2) : [command, ...args];
}

function argvOfLine(command: string): string[] {
  const [word = "", rest = ""] = command.startsWith(lineStart) ? command.slice(lineStart.length).split(lineMiddle) : [];
  return [...shellWords(word), ...shellWords(rest)];
}

// Older versions of Claude Code take a list of names with a hyphen for a pattern that may match anywhere (read in 2.1.330).
export const matcher = `^(${allCommandNames.join("|")})$`;

/** The matcher by earlier versions of relay, which had no `/send`. */
export const earlierMatcher = "get|relay";

const hookEvents = ["user-prompt-expansion", "session-start"] as const;

// A hook delays the person's prompt. relay's ends within a fraction of this.
const hookSeconds = 5;
