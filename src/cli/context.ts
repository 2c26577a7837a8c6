import { sqliteBuffer } from "../buffer/sqlite.ts";
import { systemClock } from "../clock.ts";
import { type Environment, readEnvironment } from "../environment.ts";
import { OutputClosed, RelayError, sentence } from "../errors.ts";
import { standardOutput, WriteFailed, type Writing } from "../output.ts";
import { createRelay, type Relay } from "../relay/relay.ts";

/** What every command works with. */
export interface Context {
  environment: Environment;
  /** Relay over the buffer of this environment. Throws a `buffer` error when it has no place. */
  relay(): Relay;
  /** Begins to write lines of data to standard output. */
  begin(text: string): Writing;
  /** Writes lines of data to standard output; resolves when all of them are taken. Throws {@link WriteFailed}. */
  print(text: string): Promise<void>;
  /** Writes a line that is no data to standard error. */
  note(text: string): Promise<void>;
}

/** The context of this process. */
export function createContext(): Context {
  const environment = readEnvironment();
  const output = standardOutput("stdout");
  const standardError = standardOutput("stderr");
  const begin = (text: string) => output(encodeLine(text));
  return {
    environment,
    relay: () =>
      createRelay({ buffer: sqliteBuffer(environment.bufferPath(), systemClock), clock: systemClock }),
    begin,
    print: (text) => begin(text).finished,
    note: (text) => standardError(encodeLine(text)).finished.catch(() => {}),
  };
}

/** Says how a command ended badly, on standard error, and answers the status to exit with. */
export async function reportError(thrown: unknown, context: Context, json: boolean): Promise<number> {
  const error = thrown instanceof WriteFailed ? outputError(thrown) : thrown;
  if (error instanceof OutputClosed) return 0;
  const code = error instanceof RelayError ? error.exitCode : 1;
  const message = sentence(error);
  const label = context.environment.color("stderr") ? "\u001b[31mrelay:\u001b[39m" : "relay:";
  await context.note(json ? JSON.stringify({ ok: false, error: message, code }) : `${label} ${message}`);
  return code;
}

// Whoever closes a pipe has read enough; a full disk under a redirection is another thing.
function outputError({ code }: WriteFailed): Error {
  if (code === "EPIPE") return new OutputClosed();
  return new RelayError("failed", `standard output cannot be written (${code}). Send it elsewhere.`);
}

function encodeLine(text: string): Uint8Array {
  return new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
}
