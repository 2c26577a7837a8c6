import { isAbsolute } from "node:path";
import { isDatabaseUrl } from "../core/database-url.ts";
import { errorMessage, OutputClosed, ProgramEnded, RelayError, WriteFailed } from "../core/errors.ts";
import { makeVisible, printableJson } from "../core/escape.ts";
import { parseArguments } from "./arguments.ts";
import { unknownVerb, type Verbs } from "./command.ts";
import { type Context, createContext } from "./context.ts";

/**
 * Runs one command line of `relay`, reports its error if there is one, and answers the exit status. The other
 * verbs are loaded when they are needed.
 */
export async function runCommandLine(hotVerbs: Verbs, rawArgs: readonly string[]): Promise<number> {
  let context = createContext();
  try {
    const { buffer, others } = takeBuffer(rawArgs);
    if (buffer !== null) context = createContext(buffer);
    await dispatch(hotVerbs, others, context);
    return 0;
  } catch (error) {
    const status = reportError(error, context, hasFlag(rawArgs, "--json"));
    return rawArgs[0] === "hook" ? 0 : status; // Claude Code obeys some exit codes of hooks
  }
}

/**
 * Takes `--db PATH` out of the arguments of any command. By hand, because node:util takes a millisecond to load. Throws a
 * `usage` error if it has no absolute path, or is given twice.
 */
function takeBuffer(rawArgs: readonly string[]): { buffer: string | null; others: readonly string[] } {
  const end = rawArgs.indexOf("--");
  const isFlag = (arg: string, index: number) =>
    (end < 0 || index < end) && (arg === "--db" || arg.startsWith("--db="));
  const at = rawArgs.findIndex(isFlag);
  if (at < 0) return { buffer: null, others: rawArgs };
  const [flag = "", next] = rawArgs.slice(at);
  const [value, length] = flag === "--db" ? [next, 2] : [flag.slice("--db=".length), 1];
  const refused = (what: string) => new RelayError("usage", `--db ${what}`, "Give it once.");
  if (value === undefined || !(isAbsolute(value) || isDatabaseUrl(value)))
    throw refused("needs an absolute path or a postgres:// URL");
  if (rawArgs.findLastIndex(isFlag) !== at) throw refused("is given twice");
  return { buffer: value, others: rawArgs.toSpliced(at, length) };
}

async function dispatch(hotVerbs: Verbs, rawArgs: readonly string[], context: Context): Promise<void> {
  if (rawArgs.length === 0 && context.environment.terminal.stdin) return context.note(hint);
  const [verb, verbArgs] = findVerb(rawArgs);
  const name = verb === "" ? "serve" : verb;
  const isHot = Object.hasOwn(hotVerbs, name);
  const verbs: Verbs = isHot ? hotVerbs : { ...hotVerbs, ...(await import("./other-verbs.ts")).otherVerbs };
  const command = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!command) throw unknownVerb(verb, verbs);
  await command.run({ ...parseArguments(verb, command, verbArgs), data: context, verbs });
}

/** The verb of a command line, and the words after it. It is empty if flags alone start a server, as both Claudes do. */
function findVerb(rawArgs: readonly string[]): [verb: string, args: readonly string[]] {
  const [first = "", ...rest] = rawArgs;
  const isServer = first === "" || first.startsWith("-");
  if (first === "--help" || first === "-h") return ["help", rest];
  if (first === "--version" || first === "-V") return ["version", rest];
  if (hasFlag(rawArgs, "--help", "-h")) return ["help", [isServer ? "serve" : first]];
  if (!isServer) return [first, rest];
  const isOriginalSetup = hasFlag(rawArgs, "--setup-code");
  return isOriginalSetup ? ["setup-code", rawArgs.filter((arg) => arg !== "--setup-code")] : ["", rawArgs];
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
  if (error instanceof ProgramEnded) return error.status;
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

const hint = `relay moves messages, files and pictures between Claude Desktop and Claude Code, which start it.

  relay setup                      connect both
  relay status                     show unread messages
  relay send --to code "hello"     send a message
  relay help                       show all commands`;
