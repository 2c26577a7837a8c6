import { parseArgs, stripVTControlCharacters } from "node:util";
import { type ArgsDef, runCommand } from "citty";
import { RelayError } from "../core/errors.ts";
import type { Command } from "./command.ts";

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;

/** Runs a command with its arguments. Throws a `usage` error for any that it does not take. */
export async function runWithArguments(
  verb: string,
  command: Command,
  rawArgs: readonly string[],
  data: unknown,
): Promise<void> {
  const definitions = (command.args ?? {}) as ArgsDef;
  const complete = completeArguments(rawArgs, definitions);
  checkArguments(`relay ${verb}`, complete, definitions);
  try {
    await runCommand(command, { rawArgs: complete, data });
  } catch (error) {
    throw isCitty(error) ? wrong(`relay ${verb}`, stripVTControlCharacters(error.message)) : error;
  }
}

// citty exports no class of its errors, and colours what they say wherever they go.
function isCitty(error: unknown): error is Error {
  return error instanceof Error && error.name === "CLIError";
}

/**
 * Refuses what citty would ignore: unknown flags, flags given twice or without their value, values that are none of
 * the choices, and more positional arguments than the command takes. Throws a `usage` error naming the first of them.
 */
function checkArguments(command: string, rawArgs: readonly string[], definitions: ArgsDef): void {
  if (rawArgs.length === 0) return;
  const { tokens, positionals } = parse(command, rawArgs, definitions);
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    if (seen.has(token.name)) throw wrong(command, `--${token.name} is given twice`);
    seen.add(token.name);
    checkChoice(command, token.name, token.value, definitions);
  }
  const taken = Object.values(definitions).filter((definition) => definition.type === "positional").length;
  const extra = positionals[taken];
  if (extra !== undefined)
    throw wrong(command, `unexpected argument "${extra}" (a text of several words needs quotes)`);
}

/**
 * The arguments with an empty value for each flag that may stand without one, and does: at the end, or before another
 * flag. Nothing but such a flag's definition, which begins its `valueHint` with a bracket, tells it from the others.
 */
function completeArguments(rawArgs: readonly string[], definitions: ArgsDef): string[] {
  const end = rawArgs.indexOf("--");
  return rawArgs.map((argument, index) => {
    const next = rawArgs[index + 1];
    const bare = (end < 0 || index < end) && (next === undefined || next.startsWith("-"));
    return bare && argument.startsWith("--") && isOptional(definitions[argument.slice(2)])
      ? `${argument}=`
      : argument;
  });
}

function isOptional(definition: ArgsDef[string] | undefined): boolean {
  return definition?.type === "string" && definition.valueHint?.startsWith("[") === true;
}

function parse(command: string, rawArgs: readonly string[], definitions: ArgsDef) {
  const options: Options = {};
  for (const [name, { type }] of Object.entries(definitions)) {
    if (type !== "positional") options[name] = { type: type === "boolean" ? "boolean" : "string" };
  }
  try {
    return parseArgs({ args: [...rawArgs], options, strict: true, allowPositionals: true, tokens: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const flag = /'(?:-\w, )?(--?[^' <=]*)/.exec(message)?.[1] ?? "a flag";
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") throw wrong(command, `unknown flag ${flag}`);
    throw wrong(
      command,
      definitions[flag.slice(2)]?.type === "boolean" ? `${flag} takes no value` : `${flag} needs a value`,
    );
  }
}

function checkChoice(command: string, name: string, value: string | undefined, definitions: ArgsDef): void {
  const definition = definitions[name];
  if (definition?.type !== "enum" || value === undefined || definition.options?.includes(value)) return;
  throw wrong(command, `--${name} is "${value}"; it must be ${definition.options?.join(" or ")}`);
}

function wrong(command: string, what: string): RelayError {
  return new RelayError("usage", `${what}. See: ${command} --help`);
}
