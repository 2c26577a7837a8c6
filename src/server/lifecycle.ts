import type { Clock } from "../core/clock.ts";
import { lookMs } from "../core/limits.ts";

/** What may end a server from outside. */
export interface Outside {
  /** Resolves with the name of the first signal that asks to end. */
  signalled: Promise<string>;
  /** The process that started this one. */
  parent: number;
}

/** Watches from now on: a signal that arrives while the server is still loaded ends it with status 0, too. */
export function watchOutside(): Outside {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  return { signalled: promise, parent: process.ppid };
}

/** Calls `look` every two seconds, with one timer for all: each wake-up of a process costs. */
export type Heartbeat = (look: () => void) => void;

/** A heartbeat, which by itself keeps no process alive. */
export function createHeartbeat(): Heartbeat {
  const looks: (() => void)[] = [];
  setInterval(() => {
    for (const look of looks) look();
  }, lookMs).unref();
  return (look) => void looks.push(look);
}

/** Resolves when the parent of this process is gone, also while another process holds standard input open. */
export function parentGone(
  parent: number,
  isRunning: (process: number) => boolean,
  onBeat: Heartbeat,
): Promise<void> {
  return new Promise((resolve) => {
    onBeat(() => {
      // on Windows the number of a dead parent stays
      if (process.ppid !== parent || !isRunning(parent)) resolve();
    });
  });
}

// How often a client that asked nothing for long is pinged, and how many pings it may leave unanswered.
const pingMs = 120_000;
const unansweredPings = 5;

// The longest that a timer can wait; a longer idle timeout is looked at again then.
const longestTimer = 2 ** 31 - 1;

/** How a silent client is watched. */
export interface IdleOptions {
  clock: Clock;
  /** How long without a request before the first ping, in milliseconds; may be infinite. */
  timeout: number;
  /** Resolves whether the client answered within this many milliseconds. */
  ping(milliseconds: number): Promise<boolean>;
  pingInterval?: number;
}

/** A watch on a client that may be gone without a trace. */
export interface IdleWatch {
  /** A request came in. */
  active(): void;
  /** Resolves when the client counts as gone. One that answers its pings never does. */
  readonly gone: Promise<void>;
}

/** Begins to watch. The watch alone keeps no process alive. */
export function watchIdle({ clock, timeout, ping, pingInterval = pingMs }: IdleOptions): IdleWatch {
  const gone = Promise.withResolvers<void>();
  let lastRequest = clock.elapsed();
  let unanswered = 0;
  const after = (milliseconds: number) =>
    void setTimeout(() => void check(), Math.min(milliseconds, longestTimer)).unref();
  const check = async () => {
    const idle = clock.elapsed() - lastRequest;
    if (idle < timeout) return after(timeout - idle);
    const asked = clock.elapsed();
    unanswered = (await ping(pingInterval)) || lastRequest > asked ? 0 : unanswered + 1;
    if (unanswered >= unansweredPings) gone.resolve();
    else after(Math.max(0, pingInterval - (clock.elapsed() - asked)));
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
