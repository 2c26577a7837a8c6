import type { ArgsDef, CommandDef } from "citty";

/** What a command says of itself besides what citty needs. */
interface Calling {
  /** Nobody types it: Claude Code calls it by itself. */
  calledByClaudeCode?: true;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of commands with arguments of different types, as in citty's own types
export type Command = CommandDef<any> & Calling;

/** The commands by their verbs. */
export type Verbs = Record<string, Command>;

/** citty's function of this name, without the 1.5 ms that it takes to load it: most commands need no parser. */
export function defineCommand<const Args extends ArgsDef>(
  command: CommandDef<Args> & Calling,
): CommandDef<Args> & Calling {
  return command;
}
