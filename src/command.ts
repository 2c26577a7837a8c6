import type { ArgsDef, CommandDef } from "citty";

// biome-ignore lint/suspicious/noExplicitAny: a list of commands with arguments of different types, as in citty's own types
export type Command = CommandDef<any>;

/** The commands by their verbs. */
export type Verbs = Record<string, Command>;

/** citty's function of this name, without the 1.5 ms that it takes to load it: most commands need no parser. */
export function defineCommand<const Args extends ArgsDef>(command: CommandDef<Args>): CommandDef<Args> {
  return command;
}
