import { closest } from "./closest.ts";
import { type Argument, type Arguments, type Command, usageError, type Values } from "./command.ts";

/** A flag as parseArgs of node:util finds it; `rawName` has its dashes. */
interface Flag {
  name: string;
  rawName: string;
  value?: string | undefined;
  /** The value came after an equals sign. */
  inlineValue?: boolean | undefined;
}

/**
 * Parses the words after the verb; `rest` are those that no argument took. Throws a `usage` error that names the first
 * mistake: an unknown flag, a flag given twice or without its value, a value that is none of its options, a word too many.
 */
export function parseArguments(
  verb: string,
  { args: definitions = {}, takesRest }: Command,
  rawArgs: readonly string[],
): { args: Values<Arguments>; rest: string[] } {
  const { flags, words: rest } = split(rawArgs, definitions);
  const args: Record<string, string | boolean | string[]> = {};
  for (const flag of flags) {
    const { name, rawName } = flag;
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (!definition || definition.type === "positional") {
      throw usageError(verb, `unknown flag ${rawName}`, closestFlag(verb, name, definitions));
    }
    const value = flagValue(verb, flag, definition);
    const before = Object.hasOwn(args, name) ? args[name] : undefined;
    if ("repeatable" in definition) args[name] = [...((before as string[]) ?? []), `${value}`];
    else if (before === undefined) args[name] = value;
    else throw usageError(verb, `${rawName} is given twice`);
  }
  for (const [name, { type }] of Object.entries(definitions)) {
    const word = type === "positional" ? rest.shift() : undefined;
    if (word !== undefined) args[name] = word;
  }
  if (takesRest || rest.length === 0) return { args: args as Values<Arguments>, rest };
  throw usageError(verb, `unexpected argument "${rest[0]}"`);
}

/** Separates flags from words, and refuses nothing. */
function split(rawArgs: readonly string[], definitions: Arguments): { flags: Flag[]; words: string[] } {
  // node:util takes a millisecond to load, and Claude Code calls commands without flags
  if (!rawArgs.some((argument) => argument.startsWith("-"))) return { flags: [], words: [...rawArgs] };
  const options = Object.entries(definitions)
    .filter(([, { type }]) => type !== "positional")
    .map(([name, definition]) => {
      const type: "boolean" | "string" = definition.type === "boolean" ? "boolean" : "string";
      return [name, definition.alias ? { type, short: definition.alias } : { type }] as const;
    });
  const { tokens, positionals } = process.getBuiltinModule("node:util").parseArgs({
    args: withEmptyValues(rawArgs, definitions),
    options: Object.fromEntries(options),
    strict: false, // parseArgs refuses in sentences of its own
    tokens: true,
  });
  return { flags: tokens.filter((token) => token.kind === "option"), words: positionals };
}

/** Gives a flag with an optional value an empty one where it stands alone, because parseArgs knows no such flags. */
function withEmptyValues(rawArgs: readonly string[], definitions: Arguments): string[] {
  const isOptional = (argument: string) => {
    const definition = argument.startsWith("--") ? definitions[argument.slice(2)] : undefined;
    return definition !== undefined && "optional" in definition;
  };
  const standsAlone = (index: number) => rawArgs[index + 1]?.startsWith("-") ?? true;
  return rawArgs.map((argument, index) => (isOptional(argument) && standsAlone(index) ? `${argument}=` : argument));
}

function flagValue(
  verb: string,
  { rawName, value, inlineValue }: Flag,
  definition: Exclude<Argument, { type: "positional" }>,
): string | boolean {
  if (definition.type === "boolean") {
    if (value === undefined) return true;
    throw usageError(verb, `${rawName} takes no value`);
  }
  if (value === undefined || (!inlineValue && /^-./.test(value))) throw usageError(verb, `${rawName} needs a value`);
  const word = definition.type === "enum" ? value.toLowerCase() : value;
  if (definition.type === "string" || definition.options.includes(word)) return word;
  throw usageError(verb, `${rawName} is "${value}"; it must be ${definition.options.join(" or ")}`);
}

function closestFlag(verb: string, name: string, definitions: Arguments): string | undefined {
  const names = Object.keys(definitions).filter((known) => definitions[known]?.type !== "positional");
  const meant = name.length > 1 && closest(name, [...names, "help", ...(verb === "" ? ["version"] : [])]);
  return meant ? `--${meant}` : undefined;
}
