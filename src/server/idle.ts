import type { Clock } from "../core/clock.ts";

/** How often a client that asked nothing for long is pinged, and how long each ping may take, in milliseconds. */
const pingMilliseconds = 120_000;

/** How many pings in a row nobody answers before the client counts as gone. */
const unansweredPings = 5;

// The longest that a timer can wait; a longer idle timeout is looked at again then.
const longestTimer = 2 ** 31 - 1;

/** What to watch. */
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
export function watchIdle({ clock, timeout, ping, pingInterval = pingMilliseconds }: IdleOptions): IdleWatch {
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
