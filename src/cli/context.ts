import type { styleText } from "node:util";
import { systemClock } from "../core/clock.ts";
import { describeDatabase } from "../core/database-url.ts";
import { type NotificationOutcome, Notifications } from "../core/notifications.ts";
import { Relay } from "../core/relay.ts";
import type { Store } from "../core/store.ts";
import { systemNotifier } from "../notify/system-notifier.ts";
import { type Environment, readEnvironment } from "../platform/environment.ts";
import { standardOutput, writeNow } from "../platform/output.ts";
import { isRunning } from "../platform/process.ts";
import { chosenDatabase, openStore } from "../store/open-store.ts";

// After this the store may wait once more, for 50 ms.
const quickLockTimeoutMs = 120;

// Claude Code waits longer for its hooks.
const typedTimeoutMs = 2_000;

/** The parts that every command works with. */
export interface Context {
  environment: Environment;
  /** Relay over the buffer of this environment, or over another one. */
  relay(options?: RelayOptions): Relay;
  /** The store, which gives up within 250 ms of the process's start, for what the person did not ask for. */
  quickStore(): Store;
  /** The store for what the person typed in a prompt: as quick over a file; a database may be an ocean away. */
  typedStore(): Store;
  /** The buffer, as people may see it: the path of the file, or the database's URL without its password. */
  bufferName(): string;
  /** Writes a page to standard output. Rejects with WriteFailed. */
  write(text: string): Promise<void>;
  /** Writes lines of data to standard output. Throws WriteFailed. */
  print(text: string): void;
  /** The same without a line end of relay's own. */
  printExact(text: string): void;
  /** Writes a line that is no data to standard error, if that is open. */
  note(text: string): void;
  /** The text in a style, if this output may have colour. */
  style(output: "stdout" | "stderr", style: Parameters<typeof styleText>[0], text: string): string;
}

interface RelayOptions {
  /** Gets the outcome of each notification. */
  onOutcome?: (outcome: NotificationOutcome) => void;
  /** The absolute path of the buffer file, if it is not the one of the environment. */
  buffer?: string | null;
  /** The longest wait for a lock, in milliseconds. */
  lockTimeoutMs?: number;
}

/** The context of this process. A buffer file wins over the one that `RELAY_DB` names. */
export function createContext(buffer: string | null = null): Context {
  const environment = readEnvironment(undefined, buffer);
  const output = standardOutput("stdout");
  const open = (buffer: string | null, lockTimeoutMs?: number) =>
    openStore({
      locate: () => buffer ?? environment.bufferPath(),
      database: () => (buffer ? { ...environment.database(), url: null, savedUrl: null } : environment.database()),
      clock: systemClock,
      isRunning,
      historyDays: environment.historyDays,
      lockTimeoutMs,
    });
  const relay = ({ onOutcome, buffer = null, lockTimeoutMs }: RelayOptions = {}) => {
    const store = open(buffer, lockTimeoutMs);
    const notifications = new Notifications({
      store,
      clock: systemClock,
      notifier: systemNotifier(environment.system),
      muted: () => !environment.notify(),
      onOutcome,
    });
    return new Relay(store, notifications, systemClock);
  };
  const database = () => chosenDatabase(environment.database());
  return {
    environment,
    relay,
    // a busy machine takes long to start the process
    quickStore: () => open(null, Math.max(0, quickLockTimeoutMs - performance.now())),
    typedStore: () => open(null, database() ? typedTimeoutMs : quickLockTimeoutMs),
    bufferName() {
      const chosen = database();
      return chosen ? describeDatabase(chosen) : environment.bufferPath();
    },
    write: (text) => output(encodeLine(text)),
    print: (text) => writeNow(1, encodeLine(text)),
    printExact: (text) => writeNow(1, new TextEncoder().encode(text)),
    note(text) {
      try {
        writeNow(2, encodeLine(text));
      } catch {} // standard error is closed
    },
    style(stream, style, text) {
      if (!environment.color(stream)) return text;
      // node:util would look at the stream once more, which takes 2 ms
      return process.getBuiltinModule("node:util").styleText(style, text, { validateStream: false });
    },
  };
}

function encodeLine(text: string): Uint8Array {
  return new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
}
