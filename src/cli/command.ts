import { RelayError } from "../core/errors.ts";
import type { Context } from "./context.ts";

/** An argument of a command. Any of them may be left out. */
export type Argument = { description: string } & (
  | { type: "boolean" }
  /** A flag that takes one of these words. */
  | { type: "enum"; options: string[] }
  /** A flag that takes any word. An `optional` one may stand alone, and is then the empty word. */
  | { type: "string"; valueHint: string; suggestions?: string[]; optional?: true }
  /** A word at its place among those that are no flags. */
  | { type: "positional"; required: false; suggestions?: string[] }
);

/** The arguments of a command by their names, flags without their dashes. */
export type Arguments = Record<string, Argument>;

type Value<Definition> = Definition extends { type: "boolean" }
  ? boolean
  : Definition extends { options: (infer Word)[] }
    ? Word
    : string;

/** What a command line gave for each argument; nothing for those that it left out. */
export type Values<Args extends Arguments> = { [Name in keyof Args]?: Value<Args[Name]> };

/** What a command runs with. */
interface Call<Args extends Arguments> {
  args: Values<Args>;
  /** The words that no argument took; none, unless the command takes any. */
  rest: readonly string[];
  data: Context;
  verbs: Verbs;
}

/** A verb of the command line. */
export interface Command<Args extends Arguments = Arguments> {
  meta: { name: string; description: string };
  args?: Args;
  /** It takes any number of words after its arguments. */
  takesRest?: true;
  /** Nobody types it, so neither help nor completions name it. */
  calledByClaudeCode?: true;
  run(call: Call<Args>): void | Promise<void>;
}

/** The commands by their verbs. */
export type Verbs = Readonly<Record<string, Command>>;

/** Infers the types of a command's arguments from their definitions. */
export function defineCommand<const Args extends Arguments>(command: Command<Args>): Command<Args> {
  return command;
}

/** The error for a command line that the verb does not take. */
export function usageError(verb: string, message: string): RelayError {
  return new RelayError("usage", message, `See: relay ${verb} --help`);
}
