import { stripVTControlCharacters } from "node:util";
import { renderUsage } from "citty";
import type { Arguments, Command, Verbs } from "./command.ts";

/** The text of `relay --help`. */
export async function renderOverview(verbs: Verbs): Promise<string> {
  const meta = { name: "relay", description: "Moves messages between Claude Desktop and Claude Code" };
  const version = { type: "boolean", description: "Print the version" } as const;
  const shown = Object.entries(verbs).filter(([, command]) => !command.calledByClaudeCode);
  const subCommands = Object.fromEntries(shown.map(([verb, command]) => [verb, { meta: command.meta }]));
  return plain(await renderUsage({ meta, args: withHints({ ...verbs.serve?.args, version }), subCommands }));
}

/** The text of `relay VERB --help`. */
export async function renderCommand({ meta, args = {} }: Command): Promise<string> {
  return plain(await renderUsage({ meta: { ...meta, name: `relay ${meta.name}` }, args: withHints(args) }));
}

// citty shows only this of a positional argument
function withHints(args: Arguments) {
  const hint = (argument: Arguments[string]) =>
    argument.type === "positional" && argument.suggestions
      ? { ...argument, valueHint: argument.suggestions.join("|") }
      : argument;
  return Object.fromEntries(Object.entries(args).map(([name, argument]) => [name, hint(argument)]));
}

// citty colours even a pipe, and fills its columns with spaces
function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/ +$/gm, "").trimEnd();
}
