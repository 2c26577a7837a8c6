import { errorMessage, OutputClosed, RelayError, WriteFailed } from "../core/errors.ts";
import { makeVisible, printableJson } from "../core/escape.ts";
import { version } from "../core/version.ts";
import { parseArguments } from "./arguments.ts";
import type { Verbs } from "./command.ts";
import { type Context, createContext } from "./context.ts";

/**
 * Runs one command line of `relay`, reports its error if there is one, and answers the exit status. The other
 * verbs are loaded when they are needed.
 */
export async function runCommandLine(hotVerbs: Verbs, rawArgs: readonly string[]): Promise<number> {
  const context = createContext();
  try {
    await dispatch(hotVerbs, rawArgs, context);
    return 0;
  } catch (error) {
    const status = reportError(error, context, hasFlag(rawArgs, "--json"));
    return rawArgs[0] === "hook" ? 0 : status; // Claude Code obeys some exit codes of hooks
  }
}

async function dispatch(hotVerbs: Verbs, rawArgs: readonly string[], context: Context): Promise<void> {
  const [first = "", ...rest] = rawArgs;
  if (rawArgs.length === 1 && first === "--version") return context.print(version);
  if (rawArgs.length === 0 && context.environment.terminal.stdin) return context.note(hint);

  const isServer = first === "" || first.startsWith("-");
  const helpWanted = hasFlag(rawArgs, "--help", "-h");
  const isOriginalSetup = isServer && hasFlag(rawArgs, "--setup-code");
  const verb = isOriginalSetup ? "setup-code" : isServer ? "serve" : first;
  const isHot = !helpWanted && Object.hasOwn(hotVerbs, verb);
  const verbs: Verbs = isHot ? hotVerbs : { ...hotVerbs, ...(await import("./other-verbs.ts")).otherVerbs };
  if (helpWanted && isServer) return context.print(await (await import("./help.ts")).renderOverview(verbs));
  const command = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!command) throw new RelayError("usage", `unknown command "${verb}"`, "See: relay --help");
  if (helpWanted) return context.print(await (await import("./help.ts")).renderCommand(command));

  const verbArgs = isServer ? rawArgs.filter((argument) => argument !== "--setup-code") : rest;
  await command.run({ ...parseArguments(verb, command, verbArgs), data: context, verbs });
}

/** Whether unchecked arguments have a flag. Nothing after `--` is one. */
function hasFlag(rawArgs: readonly string[], ...names: string[]): boolean {
  const end = rawArgs.indexOf("--");
  return (end < 0 ? rawArgs : rawArgs.slice(0, end)).some((argument) => names.includes(argument));
}

/** Reports an error on standard error, and answers the exit status. */
function reportError(thrown: unknown, context: Context, json: boolean): number {
  const error = thrown instanceof WriteFailed ? outputError(thrown) : thrown;
  if (error instanceof OutputClosed) return 0;
  const code = error instanceof RelayError ? error.exitCode : 1;
  const message = errorMessage(error);
  context.note(
    json
      ? printableJson({ ok: false, error: message, code })
      : `${context.style("stderr", "red", "relay:")} ${makeVisible(message).text}`,
  );
  return code;
}

// A reader that closes a pipe has read enough; a full disk is an error.
function outputError({ code }: WriteFailed): Error {
  if (code === "EPIPE") return new OutputClosed();
  return new RelayError("failed", `standard output cannot be written (${code})`, "Redirect it to another place.");
}

const hint = `relay moves messages between Claude Desktop and Claude Code, which start it by themselves.
On a terminal, try: relay status, relay send --to code "hello", relay demo, relay --help`;
