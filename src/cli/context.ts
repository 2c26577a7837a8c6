import type { styleText } from "node:util";
import { systemClock } from "../core/clock.ts";
import { type NotificationOutcome, Notifications } from "../core/notifications.ts";
import { Relay } from "../core/relay.ts";
import { systemNotifier } from "../notify/system-notifier.ts";
import { type Environment, readEnvironment } from "../platform/environment.ts";
import { standardOutput, writeNow } from "../platform/output.ts";
import { isRunning } from "../platform/process.ts";
import { SqliteStore } from "../store/sqlite-store.ts";

// A last wait for a lock, of 50 ms, may begin when these milliseconds are over.
const quickLockTimeoutMs = 120;

/** What every command works with. */
export interface Context {
  environment: Environment;
  /** Relay over the buffer of this environment, or another one. Throws a `buffer` error when it has no place. */
  relay(options?: RelayOptions): Relay;
  /** Relay for a command that the person waits for: it gives up within 250 ms, start of the process included. */
  quickRelay(): Relay;
  /** Writes lines of data that carry a page to standard output. Rejects with WriteFailed. */
  write(text: string): Promise<void>;
  /** Writes lines of data to standard output. Throws WriteFailed. */
  print(text: string): void;
  /** Writes a line that is no data to standard error, if it is open. */
  note(text: string): void;
  /** The text in a style, where this output may carry colour. */
  style(output: "stdout" | "stderr", style: Parameters<typeof styleText>[0], text: string): string;
}

/** What is unusual about a relay. */
interface RelayOptions {
  /** Hears what became of each notification. */
  onOutcome?: (outcome: NotificationOutcome) => void;
  /** The absolute path of the buffer file, if it is not the one of the environment. */
  buffer?: string | null;
  /** How long it waits for a lock, in milliseconds. */
  lockTimeoutMs?: number;
}

/** The context of this process. */
export function createContext(): Context {
  const environment = readEnvironment();
  const output = standardOutput("stdout");
  const relay = ({ onOutcome, buffer, lockTimeoutMs }: RelayOptions = {}) => {
    const store = new SqliteStore({
      locate: () => buffer ?? environment.bufferPath(),
      clock: systemClock,
      isRunning,
      lockTimeoutMs,
    });
    const notifications = new Notifications({
      store,
      clock: systemClock,
      notifier: systemNotifier(environment.system),
      muted: () => !environment.notify(),
      onOutcome,
    });
    return new Relay(store, notifications, systemClock);
  };
  return {
    environment,
    relay,
    quickRelay: () => relay({ lockTimeoutMs: quickLockTimeoutMs }),
    write: (text) => output(encodeLine(text)),
    print: (text) => writeNow(1, encodeLine(text)),
    note(text) {
      try {
        writeNow(2, encodeLine(text));
      } catch {} // there is nowhere else to say so
    },
    style(stream, style, text) {
      if (!environment.color(stream)) return text;
      // node:util takes 2 ms to load and look at the stream, which was done
      return process.getBuiltinModule("node:util").styleText(style, text, { validateStream: false });
    },
  };
}

function encodeLine(text: string): Uint8Array {
  return new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
}
