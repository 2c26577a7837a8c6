import { announcementOf } from "./announcement.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Notifier } from "./notifier.ts";
import type { Announce, Appended, Buffer, Lease, Wish } from "./store.ts";

/** How long a process whose notifier failed leaves announcing to others, in milliseconds. */
const restMilliseconds = 300_000;

// Clocks of two processes, and timers, may differ by a little.
const marginMilliseconds = 10;

// How often in all, and after what time, something is tried again that a locked file prevented; a lease stands longer.
const mostTries = 3;
const retryMilliseconds = 200;

/** A look at the end of a reader's peace. */
interface Fold {
  /** By the clock of this process. */
  due: number;
  timer: Timer;
  /** Looks at once. */
  fire(): void;
}

/** What an announcer works with. */
export interface AnnouncerOptions {
  buffer: Buffer;
  clock: Clock;
  notifier: Notifier;
  /** Whether what this process stores counts as announced. */
  muted: () => boolean;
  /** Hears what became of each announcement, in words without any text of a message; and of a buffer that fails. */
  report?: ((outcome: unknown) => void) | undefined;
}

/** Announces what this process stored, and what others left behind: design.md, "Announcing". Nothing here throws. */
export interface Announcer {
  /** What is to be done about the next message that this process stores. */
  readonly announce: Announce;
  /** Takes care of a message once its receipt is on its way. */
  stored(appended: Pick<Appended, "lease" | "foldsIn">): void;
  /** Announces what nobody announced. */
  look(): Promise<void>;
  /** Looks if there may be anything. Costs next to nothing otherwise, for those who do it every 2 s. */
  glance(): void;
  /** Stores what this process's client wants; a look tries again if need be, also should the buffer be replaced. */
  wish(client: Client, wish: Wish): Promise<void>;
  /** Resolves when everything this process is to announce was announced, or given up. */
  finish(): Promise<void>;
  /** Like `finish`, but leaves no reader in peace. */
  hurry(): Promise<void>;
  /** Ends whatever still runs. Its leases stay, for others to make good. */
  stop(): void;
}

/** An announcer that has yet to announce anything. */
export function createAnnouncer(options: AnnouncerOptions): Announcer {
  const { buffer, clock, notifier, muted, report = () => {} } = options;
  const running = new Set<Promise<void>>();
  const folds = new Set<Fold>();
  let own: { client: Client; wish: Wish; stored: boolean } | undefined;
  let restUntil = Number.NEGATIVE_INFINITY;
  let stopped = false;

  const resting = () => stopped || clock.elapsed() < restUntil;

  const track = (work: Promise<void>) => {
    const tracked = work.catch(report).finally(() => running.delete(tracked));
    running.add(tracked);
  };

  const show = async (lease: Lease) => {
    const { shown, finished } = notifier.show(announcementOf(lease));
    const failure = await shown;
    if (stopped) return;
    report(`announcing ${lease.count} to ${lease.reader}: ${failure ?? "done"}`);
    if (failure !== null) {
      restUntil = clock.elapsed() + restMilliseconds;
      return buffer.unannounced(lease.name);
    }
    await persistently(() => buffer.announced(lease.name));
    await finished;
  };

  // The file may be locked for longer than one call waits; what was shown must not be shown again for that.
  const persistently = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    for (let tries = 1; !stopped; tries++) {
      try {
        return await work();
      } catch (error) {
        report(error);
        if (tries === mostTries) return undefined;
        await Bun.sleep(retryMilliseconds);
      }
    }
    return undefined;
  };

  const storeWish = async () => {
    if (!own || own.stored) return;
    const { client, wish } = own;
    await buffer.wish(client, wish);
    if (own.wish === wish) own.stored = true;
  };

  const lease = async (early: boolean) => {
    if (resting()) return;
    for (const leased of await buffer.lease({ early, own })) track(show(leased));
  };

  // Many messages that are stored in one reader's peace need one look at its end.
  const lookAfter = (milliseconds: number) => {
    const due = clock.elapsed() + milliseconds + marginMilliseconds;
    if ([...folds].some((pending) => pending.due >= due - marginMilliseconds)) return;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), milliseconds + marginMilliseconds);
    const fold = { due, timer, fire: () => resolve(true) };
    folds.add(fold);
    track(
      promise.then(async (early) => {
        folds.delete(fold);
        await persistently(() => lease(early));
      }),
    );
  };

  const finish = async () => {
    while (running.size > 0 && !stopped) await Promise.all(running);
  };

  const isIdle = () => {
    try {
      return resting() || (own?.stored !== false && buffer.isQuiet());
    } catch {
      return true; // the buffer has no place, of which every answer tells
    }
  };

  const announcer: Announcer = {
    get announce() {
      return muted() ? "never" : resting() ? "later" : "now";
    },
    stored({ lease, foldsIn }) {
      // starting a program takes a moment, which the receipt need not wait for
      if (lease) track(new Promise<void>((resolve) => setImmediate(resolve)).then(() => show(lease)));
      if (foldsIn !== null) lookAfter(foldsIn);
    },
    async look() {
      try {
        await storeWish();
        await lease(false);
      } catch (error) {
        report(error); // the next look comes soon enough
      }
    },
    glance() {
      if (!isIdle()) void announcer.look();
    },
    async wish(client, wish) {
      own = { client, wish, stored: false };
      await storeWish().catch(report);
    },
    finish,
    hurry() {
      for (const fold of folds) fold.fire();
      return finish();
    },
    stop() {
      stopped = true;
      for (const { timer } of folds) clearTimeout(timer);
      notifier.stop();
    },
  };
  return announcer;
}
