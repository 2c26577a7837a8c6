/** A process above this one. */
export interface Ancestor {
  pid: number;
  /** As the system lists it. */
  name: string;
  /** Its program is Claude Code. */
  isClaudeCode: boolean;
  /** It carries `CLAUDE_CODE_CHILD_SESSION=1`. */
  childSession: boolean;
}

/** The traces of Claude Code on this process. */
export interface Traces {
  /** The processes above this one, its parent first; `null` where the system does not tell them. */
  readonly ancestors: readonly Ancestor[] | null;
  /** Those of {@link claudeVariables} that are set. */
  readonly variables: readonly string[];
  /** The process that `CLAUDE_PID` names, and whether it runs; `null` without a number there. */
  readonly process: { pid: number; runs: boolean } | null;
}

/** The variables of Claude Code by which relay refuses. */
export const claudeVariables = [
  "CLAUDECODE",
  "CLAUDE_CODE_CHILD_SESSION",
  "CLAUDE_CODE_SESSION_ATTENDED",
  "CLAUDE_PID",
];

/** How a person removes them from a terminal. */
export const unsetThem = `run \`unset ${claudeVariables.join(" ")}\`, and in tmux \`tmux set-environment -gu NAME\` for each of them`;

/**
 * Whether Claude Code's variables live on here from one that did not start this process, as in a terminal that an older
 * one opened. `false` where the system does not tell.
 */
export function isLeaked({ ancestors, variables }: Traces): boolean {
  if (!ancestors || ancestors.some(({ isClaudeCode }) => isClaudeCode)) return false;
  return variables.length > 0 || ancestors.some(({ childSession }) => childSession);
}

/** A clause that names the variables that live on, and a `CLAUDE_PID` among them that is gone or no ancestor. */
export function describeLeak({ ancestors, variables, process }: Traces): string {
  const carrier = ancestors?.find(({ childSession }) => childSession);
  if (variables.length === 0 && carrier)
    return `variables of an older Claude Code live on in ${carrier.name} (process ${carrier.pid})`;
  const pid = process && `CLAUDE_PID (process ${process.pid} ${process.runs ? "did not start this" : "is gone"})`;
  const names = variables.map((name) => (name === "CLAUDE_PID" && pid) || name);
  return `variables of an older Claude Code live on here: ${names.join(", ")}`;
}
