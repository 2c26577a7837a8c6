import { systemClock } from "../core/clock.ts";
import { errorMessage, OutputClosed, RelayError, WriteFailed } from "../core/errors.ts";
import { createNotifications, type NotificationOutcome } from "../core/notifications.ts";
import { createRelay, type Relay } from "../core/relay.ts";
import { systemNotifier } from "../notify/system-notifier.ts";
import { type Environment, readEnvironment } from "../platform/environment.ts";
import { standardOutput, writeNow } from "../platform/output.ts";
import { isRunning } from "../platform/process.ts";
import { createSqliteStore } from "../store/sqlite-store.ts";
import type { Verbs } from "./command.ts";

// A last try for a lock, of 50 ms, may begin when these milliseconds are over.
const quickPatienceMs = 120;

/** What every command works with. */
export interface Context {
  environment: Environment;
  /** Every command there is. */
  verbs: Verbs;
  /** Relay over the buffer of this environment, or another one. Throws a `buffer` error when it has no place. */
  relay(options?: RelayOptions): Relay;
  /** The same for those whom the person waits for: it gives up within 250 ms, start of the process included. */
  quickRelay(): Relay;
  /** Writes lines of data that carry a page to standard output. Rejects with {@link WriteFailed}. */
  write(text: string): Promise<void>;
  /** Writes lines of data to standard output. Throws {@link WriteFailed}. */
  print(text: string): void;
  /** Writes a line that is no data to standard error, if anybody takes it. */
  note(text: string): void;
}

/** What is unusual about a relay. */
interface RelayOptions {
  onOutcome?: (outcome: NotificationOutcome) => void;
  /** The absolute path of the buffer file, if it is not the one of the environment. */
  buffer?: string | null;
  patienceMs?: number;
}

/** The context of this process. */
export function createContext(verbs: Verbs): Context {
  const environment = readEnvironment();
  const output = standardOutput("stdout");
  const relay = ({ onOutcome, buffer, patienceMs }: RelayOptions = {}) => {
    const store = createSqliteStore({
      locate: () => buffer ?? environment.bufferPath(),
      clock: systemClock,
      isRunning,
      patienceMs,
    });
    const notifications = createNotifications({
      store,
      clock: systemClock,
      notifier: systemNotifier(environment.system),
      muted: () => !environment.notify(),
      ...(onOutcome && { onOutcome }),
    });
    return createRelay(store, notifications, systemClock);
  };
  return {
    environment,
    verbs,
    relay,
    quickRelay: () => relay({ patienceMs: quickPatienceMs }),
    write: (text) => output(encodeLine(text)),
    print: (text) => writeNow(1, encodeLine(text)),
    note(text) {
      try {
        writeNow(2, encodeLine(text));
      } catch {} // there is nowhere else to say so
    },
  };
}

/** Says how a command ended badly, on standard error, and answers the status to exit with. */
export function reportError(thrown: unknown, context: Context, json: boolean): number {
  const error = thrown instanceof WriteFailed ? outputError(thrown) : thrown;
  if (error instanceof OutputClosed) return 0;
  const code = error instanceof RelayError ? error.exitCode : 1;
  const message = errorMessage(error);
  const label = context.environment.color("stderr") ? "\u001b[31mrelay:\u001b[39m" : "relay:";
  context.note(json ? JSON.stringify({ ok: false, error: message, code }) : `${label} ${message}`);
  return code;
}

// Whoever closes a pipe has read enough; a full disk under a redirection is another thing.
function outputError({ code }: WriteFailed): Error {
  if (code === "EPIPE") return new OutputClosed();
  return new RelayError("failed", `standard output cannot be written (${code})`, "Send it elsewhere.");
}

function encodeLine(text: string): Uint8Array {
  return new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
}
