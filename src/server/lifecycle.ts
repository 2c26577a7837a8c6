import type { Clock } from "../core/clock.ts";
import { lookMs } from "../core/limits.ts";

/** The causes outside a server that end it. */
export interface EndCauses {
  /** Resolves with the name of the first signal to end. */
  signalled: Promise<string>;
  /** The process that started this one. */
  parent: number;
}

/** Watches for signals. Called first, so that a signal while the server loads ends it with status 0, too. */
export function watchEndCauses(): EndCauses {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  return { signalled: promise, parent: process.ppid };
}

/** Calls `look` every two seconds. All looks share a timer, because each wake-up of a process costs. */
export type Heartbeat = (look: () => void) => void;

/** Starts a heartbeat, which keeps no process alive. */
export function createHeartbeat(): Heartbeat {
  const looks: (() => void)[] = [];
  setInterval(() => {
    for (const look of looks) look();
  }, lookMs).unref();
  return (look) => void looks.push(look);
}

/** Resolves when the parent of this process has ended, even if another process holds standard input open. */
export function parentGone(parent: number, isRunning: (process: number) => boolean, onBeat: Heartbeat): Promise<void> {
  return new Promise((resolve) => {
    onBeat(() => {
      // Windows keeps the number of a dead parent
      if (process.ppid !== parent || !isRunning(parent)) resolve();
    });
  });
}

// The time between two pings of an idle client, and the pings that it may leave unanswered.
const pingMs = 120_000;
const unansweredPings = 5;

// The longest wait of a timer.
const longestTimer = 2 ** 31 - 1;

/** Options of the watch on an idle client. */
export interface IdleOptions {
  clock: Clock;
  /** The time without a request before the first ping, in milliseconds; may be infinite. */
  timeout: number;
  /** Answers whether the client answered a ping within this many milliseconds. */
  ping(milliseconds: number): Promise<boolean>;
  pingInterval?: number;
}

/** A watch on a client that may have vanished. */
export interface IdleWatch {
  /** Reports a request. */
  active(): void;
  /** Resolves when a client that answered a ping before has left too many unanswered. Some clients never answer one. */
  readonly gone: Promise<void>;
}

/** Starts a watch, which keeps no process alive. */
export function watchIdle({ clock, timeout, ping, pingInterval = pingMs }: IdleOptions): IdleWatch {
  const gone = Promise.withResolvers<void>();
  let lastRequest = clock.elapsed();
  let unanswered = 0;
  let answersPings = false;
  const after = (milliseconds: number) =>
    void setTimeout(() => void check(), Math.min(milliseconds, longestTimer)).unref();
  const check = async () => {
    const idle = clock.elapsed() - lastRequest;
    if (idle < timeout) return after(timeout - idle);
    const pingedAt = clock.elapsed();
    const isAnswered = await ping(pingInterval);
    answersPings ||= isAnswered;
    unanswered = isAnswered || lastRequest > pingedAt ? 0 : unanswered + 1;
    if (answersPings && unanswered >= unansweredPings) gone.resolve();
    else after(Math.max(0, pingInterval - (clock.elapsed() - pingedAt)));
  };
  after(timeout);
  return {
    gone: gone.promise,
    active() {
      lastRequest = clock.elapsed();
      unanswered = 0;
    },
  };
}
