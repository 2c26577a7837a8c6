import { firstProtected, isProtected } from "./claude-version.ts";
import type { Client } from "./client.ts";
import { RelayError } from "./errors.ts";

/** Signs of the Claude Code around this process: variables that it sets (facts.md, "Claude Code as a client"). */
export interface ClaudeCodeSigns {
  /** `CLAUDECODE=1`: started by Claude Code, or from a terminal inside an editor that Claude Code opened. */
  present: boolean;
  /** `CLAUDE_CODE_CHILD_SESSION=1`: a hook, an inline command or a Bash call. */
  childSession: boolean;
  /** A model started this Claude Code: it has variables that only hooks, inline commands and Bash calls get. */
  nested: boolean;
  /** The signs say nothing: a Windows relay was started from WSL without any of the variables (wslenv.ts). */
  unknown: boolean;
  /** `CLAUDE_CODE_SESSION_ATTENDED=1`: a person sits at the session. Only hooks, inline commands and Bash calls get it. */
  attended: boolean;
  /** `CLAUDE_CODE_SESSION_ID` and `CLAUDE_PID`, `null` unless both are there; `project` is its folder's name. */
  session: { id: string; process: number; project: string | null } | null;
}

/** Whether each standard descriptor is a terminal. Looks at a descriptor only when asked. */
export interface Terminal {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** Signs of who typed a command. */
interface CallerSigns {
  claudeCode: ClaudeCodeSigns;
  terminal: Terminal;
}

/** Signs of a server's client: its own words, the variables around the process, and `--client`. */
export interface ClientSigns {
  clientInfo: { name: string; version: string } | undefined;
  claudeCode: ClaudeCodeSigns;
  flag: Client | undefined;
}

/** The client of a server, and its rights. */
export interface Identity {
  /** `null`: unknown, so that each call has to name it. */
  client: Client | null;
  /** It serves Claude Code, which asks its person before `relay_fetch` and `relay_clear` and has `/get`. */
  underClaudeCode: boolean;
  /** The reason why this server neither delivers nor clears; `null` if it does. */
  refusal: RelayError | null;
}

const fromWsl = new RelayError(
  "refused",
  "this Windows relay was started from WSL, and nothing tells it whether a model did that, so it neither delivers nor clears",
  "In Claude Code, run `relay setup-code` in WSL; for yourself, run it in a Windows terminal.",
);

/** The identity of a server: design.md, "Identity". */
export function identify({ clientInfo, claudeCode, flag }: ClientSigns): Identity {
  const byName = clientInfo?.name === "claude-code" ? "code" : clientInfo?.name === "claude-ai" ? "desktop" : null;
  const underClaudeCode = byName === "code" || claudeCode.present;
  return {
    client: byName ?? (claudeCode.present ? "code" : (flag ?? null)),
    underClaudeCode,
    refusal: claudeCode.unknown ? fromWsl : underClaudeCode ? refusal(clientInfo, claudeCode.nested) : null,
  };
}

/** Throws `refused` for a command that reads or deletes messages, if a model in Claude Code may have typed it. */
export function refuseInsideClaudeCode(command: string, caller: CallerSigns): void {
  if (caller.claudeCode.unknown) throw fromWsl;
  if (!isInsideClaudeCode(caller)) return;
  throw new RelayError(
    "refused",
    `\`${command}\` is not for Claude Code, where only the person may pull`,
    "Ask the person to run it in a terminal of their own.",
  );
}

/** Whether a model may have typed a command: design.md, "Identity". */
export function isInsideClaudeCode({ claudeCode, terminal }: CallerSigns): boolean {
  const personAtTerminal = terminal.stdin || terminal.stdout || terminal.stderr;
  return claudeCode.childSession || (claudeCode.present && !personAtTerminal);
}

function refusal(clientInfo: ClientSigns["clientInfo"], nested: boolean): RelayError | null {
  const refused = (reason: string, fix: string) =>
    new RelayError("refused", `relay does not deliver or clear here: ${reason}`, fix);
  if (nested) {
    const reason = "this Claude Code was started by a model, and only the person may pull";
    return refused(reason, "Use the session that the person sees.");
  }
  const isClaudeCode = clientInfo?.name === "claude-code";
  if (isClaudeCode && isProtected(clientInfo.version)) return null;
  const title = isClaudeCode ? `Claude Code ${clientInfo.version}` : "an unknown client inside Claude Code";
  return refused(`${title} may not ask the person first`, `Use Claude Code ${firstProtected} or newer.`);
}
