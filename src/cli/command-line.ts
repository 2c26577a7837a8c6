import type { ArgsDef } from "citty";
import { RelayError } from "../core/errors.ts";
import { version } from "../core/version.ts";
import type { Command, Verbs } from "./command.ts";
import { type Context, createContext, reportError } from "./context.ts";

/** Runs one command line of `relay` and answers the status to exit with. Every error ends here. */
export async function runCommandLine(verbs: Verbs, rawArgs: readonly string[]): Promise<number> {
  const context = createContext(verbs);
  try {
    await dispatch(verbs, rawArgs, context);
    return 0;
  } catch (error) {
    const status = reportError(error, context, hasFlag(rawArgs, "--json"));
    return rawArgs[0] === "hook" ? 0 : status; // Claude Code takes some of a hook's codes for orders
  }
}

async function dispatch(verbs: Verbs, rawArgs: readonly string[], context: Context): Promise<void> {
  const [first = "", ...rest] = rawArgs;
  if (rawArgs.length === 1 && first === "--version") return context.print(version);
  if (rawArgs.length === 0 && context.environment.terminal.stdin) return context.note(hint);

  const isServer = first === "" || first.startsWith("-");
  const helpWanted = hasFlag(rawArgs, "--help", "-h");
  if (helpWanted && isServer) return context.print(await (await import("./help.ts")).renderOverview(verbs));

  const isOriginalSetup = isServer && hasFlag(rawArgs, "--setup-code");
  const verb = isOriginalSetup ? "setup-code" : isServer ? "serve" : first;
  const command = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!command) throw new RelayError("usage", `unknown command "${verb}". See: relay --help`);
  if (helpWanted) return context.print(await (await import("./help.ts")).renderCommand(command));

  const verbArgs = isServer ? rawArgs.filter((argument) => argument !== "--setup-code") : rest;
  const plain = plainArguments(command, verbArgs);
  if (plain)
    return command.run?.({ args: plain, rawArgs: [...verbArgs], cmd: command, data: context } as never);
  const { runWithArguments } = await import("./arguments.ts");
  await runWithArguments(verb, command, verbArgs, context);
}

/** The arguments of a command line without flags, for which nothing need be parsed; `null` for any other. */
function plainArguments(command: Command, rawArgs: readonly string[]): Record<string, unknown> | null {
  const definitions = Object.entries((command.args ?? {}) as ArgsDef);
  const names = definitions.filter(([, { type }]) => type === "positional").map(([name]) => name);
  if (rawArgs.length > names.length || rawArgs.some((argument) => argument.startsWith("-"))) return null;
  return {
    _: [...rawArgs],
    ...Object.fromEntries(rawArgs.map((argument, place) => [names[place], argument])),
  };
}

/** Whether a flag is there, before the arguments were checked. Nothing after `--` is a flag. */
function hasFlag(rawArgs: readonly string[], ...names: string[]): boolean {
  const end = rawArgs.indexOf("--");
  return (end < 0 ? rawArgs : rawArgs.slice(0, end)).some((argument) => names.includes(argument));
}

const hint = `relay moves messages between Claude Desktop and Claude Code, which start it by themselves.
On a terminal, try: relay status, relay send --to code "hello", relay demo, relay --help`;
