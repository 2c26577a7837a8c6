import type { Announcement, Notifier } from "../../src/core/notifier.ts";

/** A notifier that remembers what it was to show. */
export interface FakeNotifier extends Notifier {
  shown: Announcement[];
  /** What becomes of the next ones: `null` is success. May be a promise, for one that takes its time. */
  outcome: string | null | Promise<string | null>;
  stopped: boolean;
}

/** One that succeeds at once, until told otherwise. */
export function fakeNotifier(): FakeNotifier {
  const notifier: FakeNotifier = {
    shown: [],
    outcome: null,
    stopped: false,
    show(announcement) {
      notifier.shown.push(announcement);
      return { shown: Promise.resolve(notifier.outcome), finished: Promise.resolve() };
    },
    stop() {
      notifier.stopped = true;
    },
  };
  return notifier;
}
