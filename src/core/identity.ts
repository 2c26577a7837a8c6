import { firstProtected, isProtected } from "./claude-version.ts";
import type { Client } from "./client.ts";
import { RelayError } from "./errors.ts";
import { type Ancestor, describeLeak, isLeaked, type Traces, unsetThem } from "./leaked-variables.ts";

/** Signs of the Claude Code around this process: its ancestors, and variables that Claude Code sets (facts.md). */
export interface ClaudeCodeSigns extends Traces {
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
  /** `CLAUDE_CODE_SESSION_ID` and `CLAUDE_PID`, `null` unless both are there; `project` as in the store's sessions. */
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

/** Signs of a server's client: its own words, the Claude Code around the process, and `--client`. */
export interface ClientSigns {
  clientInfo: { name: string; version: string } | undefined;
  claudeCode: ClaudeCodeSigns;
  flag: Client | undefined;
  /** The parent of this process also made its standard input and output. */
  isSpawned: boolean;
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
export function identify(signs: ClientSigns): Identity {
  const { clientInfo, claudeCode, flag } = signs;
  const name = clientInfo?.name ?? "";
  const underClaudeCode = name === "claude-code" || isLocalAgent(name) || isBelowClaudeCode(claudeCode);
  return {
    client: underClaudeCode ? "code" : name === "claude-ai" ? "desktop" : (flag ?? null),
    underClaudeCode,
    refusal: claudeCode.unknown ? fromWsl : underClaudeCode ? refusal(signs) : null,
  };
}

// Desktop's Code tab and local Cowork reach servers through such a client (facts.md).
function isLocalAgent(name: string): boolean {
  return /^local-agent-mode\b/i.test(name);
}

/**
 * Throws `refused` for a command that reads or deletes messages, if a model in Claude Code may have typed it. `instead`
 * tells what the person types in Claude Code.
 */
export function refuseInsideClaudeCode(command: string, caller: CallerSigns, instead?: () => string): void {
  const { claudeCode } = caller;
  if (claudeCode.unknown) throw fromWsl;
  if (!isInsideClaudeCode(caller)) return;
  const reason = `\`${command}\` is not for Claude Code, where only the person may pull`;
  if (isLeaked(claudeCode)) {
    throw new RelayError("refused", `${reason}, and ${describeLeak(claudeCode)}`, `To use it here, ${unsetThem}.`);
  }
  throw new RelayError(
    "refused",
    reason,
    `${instead ? `Type ${instead()} there, or run` : "Run"} it in a terminal of your own.`,
  );
}

/** Whether a model may have typed a command: design.md, "Who started this process". */
export function isInsideClaudeCode({ claudeCode, terminal }: CallerSigns): boolean {
  if (claudeCode.childSession || (claudeCode.ancestors ?? []).some(({ isClaudeCode }) => isClaudeCode)) return true;
  // a shell that unset the variables still carries them for the system, and a person sits at its terminal
  return isBelowClaudeCode(claudeCode) && !(terminal.stdin || terminal.stdout || terminal.stderr);
}

/**
 * The session in which a person may type a command; `null` if there is none here. Throws `refused` if a model may have
 * started it.
 */
export function personSession({ session, ancestors }: ClaudeCodeSigns): ClaudeCodeSigns["session"] {
  if (!session || !ancestors) return session;
  const at = ancestors.findIndex(({ pid }) => pid === session.process);
  const claude = ancestors[at];
  // its program may have another name
  if (!claude || !(claude.isClaudeCode || claude.name === "claude")) return null;
  if (ancestors.slice(at + 1).some(({ isClaudeCode }) => isClaudeCode)) throw nested();
  if (claude.childSession) throw leaked(describeLeak({ ancestors: [claude], variables: [], process: null }));
  return session;
}

/** Whether a person typed a command at a terminal, as far as anything shows. */
export function isPersonAtTerminal({ claudeCode, terminal }: CallerSigns): boolean {
  // standard input is often /dev/null, and to tell that from a terminal takes a millisecond
  if (!(terminal.stdout || terminal.stderr)) return false;
  return !(claudeCode.nested || claudeCode.unknown || isBelowClaudeCode(claudeCode));
}

/** Whether Claude Code started this process, or one above it, as far as the system and the variables tell. */
function isBelowClaudeCode({ present, ancestors }: ClaudeCodeSigns): boolean {
  return present || upToClaudeCode(ancestors).some(({ isClaudeCode, childSession }) => isClaudeCode || childSession);
}

/** The ancestors up to the nearest Claude Code. What a terminal above it carries was there before it. */
function upToClaudeCode(ancestors: readonly Ancestor[] | null): readonly Ancestor[] {
  const at = ancestors?.findIndex(({ isClaudeCode }) => isClaudeCode) ?? -1;
  return ancestors?.slice(0, at < 0 ? undefined : at + 1) ?? [];
}

function refusal({ clientInfo, claudeCode, isSpawned }: ClientSigns): RelayError | null {
  const { ancestors } = claudeCode;
  const near = upToClaudeCode(ancestors);
  const [parent] = near;
  if (ancestors?.slice(near.length).some(({ isClaudeCode }) => isClaudeCode)) return nested();
  if (near.at(-1)?.isClaudeCode && !(parent?.isClaudeCode && isSpawned)) {
    const program = parent?.isClaudeCode ? "a program" : parent?.name;
    const reason = `it was started by ${program} below Claude Code, and not by Claude Code itself, which asks the person`;
    return refused(reason, "Register relay itself: relay setup-code");
  }
  if (claudeCode.nested || near.some(({ childSession }) => childSession))
    return ancestors ? leaked(describeLeak(claudeCode)) : nested();
  const isClaudeCode = clientInfo?.name === "claude-code";
  if (isClaudeCode && isProtected(clientInfo.version)) return null;
  const fix = isClaudeCode
    ? `Use Claude Code ${firstProtected} or newer.`
    : "To read, the person types /get in Claude Code.";
  return refused(`${clientTitle(clientInfo)} may not ask the person first`, fix);
}

function clientTitle(clientInfo: ClientSigns["clientInfo"]): string {
  if (clientInfo?.name === "claude-code") return `Claude Code ${clientInfo.version}`;
  return isLocalAgent(clientInfo?.name ?? "") ? "Desktop's Code tab" : "an unknown client inside Claude Code";
}

function refused(reason: string, fix: string): RelayError {
  return new RelayError("refused", `relay does not deliver or clear here: ${reason}`, fix);
}

function nested(): RelayError {
  const reason = "this Claude Code was started by a model, and only the person may pull";
  return refused(reason, "Use the session that the person sees.");
}

function leaked(leak: string): RelayError {
  const reason = `this Claude Code was started by a model, or ${leak}`;
  return refused(reason, `If it is yours, end it, ${unsetThem}, and start it again.`);
}
