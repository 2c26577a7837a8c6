import { type ArgsDef, type CommandDef, runCommand } from "citty";
import { RelayError } from "../errors.ts";
import { version } from "../version.ts";
import { checkArguments, completeArguments, hasFlag } from "./arguments.ts";
import { type Context, createContext, reportError } from "./context.ts";
import { renderCommand, renderOverview } from "./help.ts";

// biome-ignore lint/suspicious/noExplicitAny: a list of commands with arguments of different types, as in citty's own types
export type Command = CommandDef<any>;

/** The commands by their verbs. */
export type Verbs = Record<string, Command>;

/** Runs one command line of `relay` and answers the status to exit with. Every error ends here. */
export async function runCommandLine(verbs: Verbs, rawArgs: readonly string[]): Promise<number> {
  const context = createContext();
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
  if (helpWanted && isServer) return context.print(await renderOverview(verbs));

  const verb = isServer ? "serve" : first;
  const command = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!command) throw new RelayError("usage", `unknown command "${verb}". See: relay --help`);
  if (helpWanted) return context.print(await renderCommand(command));

  const definitions = command.args as ArgsDef;
  const verbArgs = completeArguments(isServer ? rawArgs : rest, definitions);
  checkArguments(`relay ${verb}`, verbArgs, definitions);
  await runCommand(command, { rawArgs: verbArgs, data: context });
}

const hint = `relay moves messages between Claude Desktop and Claude Code, which start it by themselves.
On a terminal, try: relay status, relay send --to code "hello", relay demo, relay --help`;
