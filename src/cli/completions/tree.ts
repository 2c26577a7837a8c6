import type { Argument, Command, Verbs } from "../command.ts";

/** What may stand where a value is expected. */
export interface Value {
  /** What it is, in a word. */
  name: string;
  /** The words to choose from; none where anything may stand. */
  choices: readonly string[];
  /** The flag may stand without it. */
  optional: boolean;
}

/** A flag, with its dashes. */
export interface Flag {
  name: string;
  description: string;
  /** `null` if it takes none. */
  value: Value | null;
}

/** What may follow a verb. */
export interface Verb {
  name: string;
  description: string;
  flags: readonly Flag[];
  /** In their order. */
  positionals: readonly Value[];
}

/** Everything that can be completed. */
export interface Tree {
  verbs: readonly Verb[];
  /** The names of those that people type. */
  offered: readonly string[];
  /** Where a flag stands in place of a verb. */
  bare: Verb;
}

const help: Flag = { name: "--help", description: "Show what it takes", value: null };
const version: Flag = { name: "--version", description: "Print the version", value: null };

/** The command tree as the shells' completions need it. */
export function completionTree(commands: Verbs): Tree {
  const verbs = Object.entries(commands).map(([name, command]) => describeVerb(name, command));
  const offered = verbs.filter(({ name }) => !commands[name]?.calledByClaudeCode).map(({ name }) => name);
  const serve = verbs.find(({ name }) => name === "serve");
  const flags = [...(serve?.flags ?? [help]), version];
  return { verbs, offered, bare: { name: "", description: "", flags, positionals: [] } };
}

function describeVerb(name: string, command: Command): Verb {
  const definitions = Object.entries(command.args ?? {});
  const isPositional = ([, { type }]: (typeof definitions)[number]) => type === "positional";
  return {
    name,
    description: command.meta.description,
    flags: [...definitions.filter((each) => !isPositional(each)).map(describeFlag), help],
    positionals: definitions.filter(isPositional).map(describeValue),
  };
}

function describeFlag([name, definition]: [string, Argument]): Flag {
  const value = definition.type === "boolean" ? null : describeValue([name, definition]);
  return { name: `--${name}`, description: definition.description, value };
}

function describeValue([name, definition]: [string, Argument]): Value {
  if (definition.type === "boolean") return { name, choices: [], optional: true };
  if (definition.type === "enum") return { name, choices: definition.options, optional: false };
  const optional = definition.type === "string" && definition.optional === true;
  return { name, choices: definition.suggestions ?? [], optional };
}
