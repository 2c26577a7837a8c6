import type { ArgDef, CommandMeta } from "citty";
import { RelayError } from "../core/errors.ts";
import { closest } from "./closest.ts";
import type { Context } from "./context.ts";

/** An argument of a command, in citty's terms. Each may be left out; `alias` is a letter for a flag. */
export type Argument = ArgDef & { description: string; alias?: string } & (
    | { type: "boolean" }
    /** A flag that takes one of these words, in any case. */
    | { type: "enum"; options: string[] }
    /** A flag that takes any word. An `optional` one may stand alone, and is then the empty word. */
    | { type: "string"; valueHint: string; suggestions?: string[]; optional?: true }
    /** A flag that takes a path, and may be given more than once. */
    | { type: "string"; valueHint: string; repeatable: true }
    /** A word that is no flag, by its position. */
    | { type: "positional"; required: false; suggestions?: string[] }
  );

/** The arguments of a command by their names, flags without their dashes. */
export type Arguments = Record<string, Argument>;

type Value<Definition> = Definition extends { type: "boolean" }
  ? boolean
  : Definition extends { options: (infer Word)[] }
    ? Word
    : Definition extends { repeatable: true }
      ? string[]
      : string;

/** The values of arguments, without those that were left out. */
export type Values<Args extends Arguments> = { [Name in keyof Args]?: Value<Args[Name]> };

/** A call of a command. */
interface Call<Args extends Arguments> {
  args: Values<Args>;
  /** The words that no argument took. */
  rest: readonly string[];
  data: Context;
  verbs: Verbs;
}

/** A verb of the command line. */
export interface Command<Args extends Arguments = Arguments> {
  meta: Required<Pick<CommandMeta, "name" | "description">>;
  args?: Args;
  /** Takes any number of words after its arguments. */
  takesRest?: true;
  /** Not in help and completions. */
  hidden?: true;
  run(call: Call<Args>): void | Promise<void>;
}

/** The commands by their verbs. */
export type Verbs = Readonly<Record<string, Command>>;

/** Infers the types of a command's arguments from their definitions. */
export function defineCommand<const Args extends Arguments>(command: Command<Args>): Command<Args> {
  return command;
}

/** The error for a mistake after a verb, or without one; `meant` is what the person may have meant. */
export function usageError(verb: string, message: string, meant = ""): RelayError {
  const fix = `${meant && `Did you mean ${meant}? `}See: relay ${verb && `${verb} `}--help`;
  return new RelayError("usage", message, fix);
}

/** The error for a verb that does not exist. */
export function unknownVerb(verb: string, verbs: Verbs): RelayError {
  const typed = Object.keys(verbs).filter((name) => !verbs[name]?.hidden);
  const meant = closest(verb, typed);
  return new RelayError(
    "usage",
    `unknown command "${verb}"`,
    `${meant ? `Did you mean "relay ${meant}"? ` : ""}See: relay --help`,
  );
}
