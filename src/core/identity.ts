import { firstProtected, isProtected } from "./claude-version.ts";
import type { Client } from "./client.ts";
import { RelayError } from "./errors.ts";

/** What relay knows of the Claude Code around it, from the variables Claude Code sets (facts.md, "Claude Code as a client"). */
export interface ClaudeCodeSigns {
  /** `CLAUDECODE=1`: started by Claude Code, or from a terminal inside an editor that Claude Code opened. */
  present: boolean;
  /** `CLAUDE_CODE_CHILD_SESSION=1`: a hook, an inline command or a Bash call. */
  childSession: boolean;
  /** A model started this Claude Code: one of the variables that only hooks, commands and Bash carry is set. */
  nested: boolean;
  /** Nothing can be known: a Windows relay that was started from WSL without any variable (wsl.ts). */
  unknown: boolean;
  /** `CLAUDE_CODE_SESSION_ATTENDED=1`: a person sits at the session. Only hooks, commands and Bash carry it. */
  attended: boolean;
  /** `CLAUDE_CODE_SESSION_ID` and `CLAUDE_PID`; `null` unless both are there. */
  session: { id: string; process: number } | null;
}

/** Which standard descriptors a person sits at. Each is looked at when it is asked for. */
export interface Terminal {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** What a server can know of its client: what the client says, what surrounds the process, what `--client` says. */
export interface ClientSigns {
  clientInfo: { name: string; version: string } | undefined;
  claudeCode: ClaudeCodeSigns;
  flag: Client | undefined;
}

/** Whom a server serves. */
export interface Identity {
  /** `null`: relay cannot tell, and every call must say. */
  client: Client | null;
  /** It serves Claude Code, which asks its person before `relay_fetch` and `relay_clear` and has `/get`. */
  underClaudeCode: boolean;
  /** Why this server neither delivers nor clears; `null` where the client asks its person. */
  refusal: Refusal | null;
}

/** The words of a `refused` error. */
interface Refusal {
  message: string;
  fix: string;
}

const fromWsl: Refusal = {
  message:
    "this Windows relay was started from WSL, and nothing tells it whether a model did that, so it neither delivers nor clears",
  fix: "In Claude Code, run `relay setup-code` in WSL; for yourself, run it in a Windows terminal.",
};

/** The identity of a server: design.md, "Identity". */
export function identify({ clientInfo, claudeCode, flag }: ClientSigns): Identity {
  const named =
    clientInfo?.name === "claude-code" ? "code" : clientInfo?.name === "claude-ai" ? "desktop" : null;
  const underClaudeCode = named === "code" || claudeCode.present;
  return {
    client: named ?? (claudeCode.present ? "code" : (flag ?? null)),
    underClaudeCode,
    refusal: claudeCode.unknown ? fromWsl : underClaudeCode ? refusal(clientInfo, claudeCode.nested) : null,
  };
}

/** Throws `refused` for a command that reads or deletes messages, if a model in Claude Code may have typed it. */
export function refuseInsideClaudeCode(
  command: string,
  claudeCode: ClaudeCodeSigns,
  terminal: Terminal,
): void {
  if (claudeCode.unknown) throw new RelayError("refused", fromWsl.message, fromWsl.fix);
  if (!isInsideClaudeCode(claudeCode, terminal)) return;
  throw new RelayError(
    "refused",
    `\`${command}\` is not for Claude Code, where only the person may pull`,
    "Ask the person to run it in a terminal of their own.",
  );
}

/** Whether a model may have typed a command: design.md, "Identity". */
export function isInsideClaudeCode(claudeCode: ClaudeCodeSigns, terminal: Terminal): boolean {
  const personAtTerminal = terminal.stdin || terminal.stdout || terminal.stderr;
  return claudeCode.childSession || (claudeCode.present && !personAtTerminal);
}

function refusal(clientInfo: ClientSigns["clientInfo"], nested: boolean): Refusal | null {
  const what = "relay does not deliver or clear here";
  if (nested) {
    return {
      message: `${what}: this Claude Code was started by a model, and only the person may pull`,
      fix: "Use the session that the person sees.",
    };
  }
  const isClaudeCode = clientInfo?.name === "claude-code";
  if (isClaudeCode && isProtected(clientInfo.version)) return null;
  const which = isClaudeCode ? `Claude Code ${clientInfo.version}` : "an unknown client inside Claude Code";
  return {
    message: `${what}: ${which} may not ask the person first`,
    fix: `Use Claude Code ${firstProtected} or newer.`,
  };
}
