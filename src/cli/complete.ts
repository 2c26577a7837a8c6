import type { Argument, Command, Verbs } from "./command.ts";

/** A word that may stand where the cursor is. */
export interface Candidate {
  word: string;
  /** May be empty. */
  description: string;
}

/** Stands for every path that the shell finds. */
export const anyPath = "<path>";

/**
 * The words that can complete a command line. `words` are those after the program's name up to the one at the cursor,
 * which may be empty. None where any text may stand.
 */
export function complete(verbs: Verbs, words: readonly string[]): Candidate[] {
  const last = words.at(-1) ?? "";
  const current = last === '""' ? "" : last; // Windows PowerShell passes no empty word
  return candidates(verbs, words.slice(0, -1), current).filter(
    ({ word }) => word === anyPath || word.startsWith(current),
  );
}

function candidates(verbs: Verbs, before: readonly string[], current: string): Candidate[] {
  const first = before[0] ?? current;
  const isServer = first.startsWith("-");
  if (before.length === 0 && !isServer) return verbNames(verbs);
  if (first === "help") return before.length === 1 ? verbNames(verbs) : [];
  const command = new Map(Object.entries(verbs)).get(isServer ? "serve" : first);
  if (!command || before.includes("--")) return [];
  const flags = flagsOf(command);
  if (isServer) flags.set("--version", { type: "boolean", description: "Print the version" });
  if (!current.startsWith("-")) return valuesAfter(isServer ? before : before.slice(1), command, flags);
  const [flag = "", value] = current.split("=");
  if (value !== undefined) return valuesOf(flags.get(flag), `${flag}=`);
  const open = [...flags].filter(([word]) => !before.includes(word));
  return open.map(([word, { description }]) => ({ word, description }));
}

function verbNames(verbs: Verbs): Candidate[] {
  return Object.entries(verbs)
    .filter(([, command]) => !command.hidden)
    .map(([word, { meta }]) => ({ word, description: meta.description }));
}

function flagsOf({ args = {} }: Command): Map<string, Argument> {
  const flags = Object.entries(args).filter(([, { type }]) => type !== "positional");
  const help = { type: "boolean", description: "Show its flags" } as const;
  return new Map([...flags, ["help", help] as const].map(([name, flag]) => [`--${name}`, flag]));
}

/** The candidates after these words: values of the flag before them, or of the next positional argument. */
function valuesAfter(words: readonly string[], { args = {} }: Command, flags: Map<string, Argument>): Candidate[] {
  let flag: Argument | undefined;
  let place = 0;
  for (const word of words) {
    if (!word.startsWith("-") && !flag) place += 1;
    flag = flags.get(word) ?? flags.values().find((other) => "alias" in other && word === `-${other.alias}`);
    if (flag?.type === "boolean") flag = undefined;
  }
  return valuesOf(flag ?? Object.values(args).filter(({ type }) => type === "positional")[place]);
}

function valuesOf(argument: Argument | undefined, prefix = ""): Candidate[] {
  if (!argument || argument.type === "boolean") return [];
  if ("repeatable" in argument) return prefix === "" ? [{ word: anyPath, description: "" }] : [];
  const words = argument.type === "enum" ? argument.options : (argument.suggestions ?? []);
  return words.map((word) => ({ word: prefix + word, description: "" }));
}
