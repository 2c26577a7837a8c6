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

/** What a server can know of its client: what it says of itself, what surrounds the process, what `--client` said. */
export interface Surroundings {
  clientInfo: { name: string; version: string } | undefined;
  claudeCode: ClaudeCodeSigns;
  flag: Client | undefined;
}

/** Who a server serves. */
export interface Identity {
  /** `null`: nobody knows, and every call must say. */
  client: Client | null;
  /** It serves Claude Code, which asks its person before `relay_fetch` and `relay_clear` and has `/get`. */
  underClaudeCode: boolean;
  /** Why nothing may be delivered or cleared here, as one sentence; `null` where the person is asked. */
  refusal: string | null;
}

const blind =
  "this Windows relay was started from WSL, and nothing tells it whether a model did that, so it neither delivers nor clears. In Claude Code, run `relay setup-code` in WSL; for yourself, run it in a Windows terminal.";

/** The identity of a server: design.md, "Identity". */
export function identify({ clientInfo, claudeCode, flag }: Surroundings): Identity {
  const named =
    clientInfo?.name === "claude-code" ? "code" : clientInfo?.name === "claude-ai" ? "desktop" : null;
  const underClaudeCode = named === "code" || claudeCode.present;
  return {
    client: named ?? (claudeCode.present ? "code" : (flag ?? null)),
    underClaudeCode,
    refusal: claudeCode.unknown ? blind : underClaudeCode ? refusal(clientInfo, claudeCode.nested) : null,
  };
}

/**
 * Throws `refused` for a command that would pull messages, or delete them, and that a model in Claude Code may have
 * typed: design.md, "Identity".
 */
export function refuseInsideClaudeCode(
  command: string,
  claudeCode: ClaudeCodeSigns,
  terminal: Terminal,
): void {
  if (claudeCode.unknown) throw new RelayError("refused", blind);
  if (!isInsideClaudeCode(claudeCode, terminal)) return;
  throw new RelayError(
    "refused",
    `\`${command}\` is not for Claude Code, where only the person may pull. Ask the person to run it in a terminal of their own.`,
  );
}

/** Whether a command may have been typed by a model: design.md, "Identity". */
export function isInsideClaudeCode(claudeCode: ClaudeCodeSigns, terminal: Terminal): boolean {
  const personAtTerminal = terminal.stdin || terminal.stdout || terminal.stderr;
  return claudeCode.childSession || (claudeCode.present && !personAtTerminal);
}

function refusal(clientInfo: Surroundings["clientInfo"], nested: boolean): string | null {
  if (nested) {
    return "relay does not deliver or clear here: this Claude Code was started by a model, and only the person may pull. Use the session that the person sees.";
  }
  if (clientInfo?.name === "claude-code" && isProtected(clientInfo.version)) return null;
  const which =
    clientInfo?.name === "claude-code"
      ? `Claude Code ${clientInfo.version}`
      : "an unknown client inside Claude Code";
  return `relay does not deliver or clear here: ${which} may not ask the person first. Use Claude Code ${firstProtected} or newer.`;
}
