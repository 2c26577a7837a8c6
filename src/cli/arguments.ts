import { type Argument, type Arguments, type Command, usageError, type Values } from "./command.ts";

/** A part of a command line, as parseArgs of node:util tells them apart. */
type Token =
  | { kind: "positional"; value: string }
  | {
      kind: "option";
      name: string;
      rawName: string;
      value?: string | undefined;
      inlineValue?: boolean | undefined;
    }
  | { kind: "option-terminator" };

/** A command line, parsed. */
interface Parsed {
  args: Values<Arguments>;
  /** The words after those that the arguments took. */
  rest: string[];
}

/**
 * Parses what stands after the verb. Throws a `usage` error that names the first thing that the command does not take:
 * an unknown flag, one given twice or without its value, a value that is none of its options, a word too many.
 */
export function parseArguments(
  verb: string,
  { args: definitions = {}, takesRest }: Command,
  rawArgs: readonly string[],
): Parsed {
  const args: Values<Arguments> = {};
  const rest: string[] = [];
  for (const token of tokenize(rawArgs, definitions)) {
    if (token.kind === "positional") rest.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName } = token;
    if (Object.hasOwn(args, name)) throw usageError(verb, `${rawName} is given twice`);
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    args[name] = flagValue(verb, token, definition);
  }
  for (const [name, { type }] of Object.entries(definitions)) {
    const word = type === "positional" ? rest.shift() : undefined;
    if (word !== undefined) args[name] = word;
  }
  if (takesRest || rest.length === 0) return { args, rest };
  throw usageError(verb, `unexpected argument "${rest[0]}" (a text of several words needs quotes)`);
}

function tokenize(rawArgs: readonly string[], definitions: Arguments): Token[] {
  // node:util takes a millisecond to load, and what Claude Code calls has no flags
  if (!rawArgs.some((argument) => argument.startsWith("-")))
    return rawArgs.map((value) => ({ kind: "positional", value }));
  const flags = Object.entries(definitions).filter(([, { type }]) => type !== "positional");
  return process.getBuiltinModule("node:util").parseArgs({
    args: withEmptyValues(rawArgs, definitions),
    options: Object.fromEntries(
      flags.map(([name, { type }]) => [name, { type: type === "boolean" ? type : "string" }]),
    ),
    strict: false, // its own refusals are sentences; the tokens say what is wrong
    tokens: true,
  }).tokens;
}

/** parseArgs knows no flags with an optional value: one that stands without gets an empty one. */
function withEmptyValues(rawArgs: readonly string[], definitions: Arguments): string[] {
  const isOptional = (argument: string) => {
    const definition = argument.startsWith("--") ? definitions[argument.slice(2)] : undefined;
    return definition?.type === "string" && definition.optional === true;
  };
  const standsAlone = (index: number) => rawArgs[index + 1]?.startsWith("-") ?? true;
  return rawArgs.map((argument, index) =>
    isOptional(argument) && standsAlone(index) ? `${argument}=` : argument,
  );
}

function flagValue(
  verb: string,
  { rawName, value, inlineValue }: Extract<Token, { kind: "option" }>,
  definition: Argument | undefined,
): string | boolean {
  if (!definition || definition.type === "positional") throw usageError(verb, `unknown flag ${rawName}`);
  if (definition.type === "boolean") {
    if (value === undefined) return true;
    throw usageError(verb, `${rawName} takes no value`);
  }
  if (value === undefined || (!inlineValue && /^-./.test(value)))
    throw usageError(verb, `${rawName} needs a value`);
  if (definition.type === "string" || definition.options.includes(value)) return value;
  throw usageError(verb, `${rawName} is "${value}"; it must be ${definition.options.join(" or ")}`);
}
