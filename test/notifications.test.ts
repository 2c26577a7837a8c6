// What a process does with what it is to announce, over a store and a notifier that obey the test.
import { describe, expect, test } from "bun:test";
import { type NotificationOutcome, Notifications } from "../src/core/notifications.ts";
import type { ClientPreference, NotificationLease, NotificationPreference, Store } from "../src/core/store.ts";

const lease: NotificationLease = {
  id: "a",
  reader: "code",
  count: 1,
  more: false,
  message: "hello",
  typed_in: null,
  project: null,
  sound: "default",
};

/** Notifications over fakes, which do as the fields say and note each call. */
class Fixture {
  time = 0;
  /** What becomes of the next notification; `null` is success. */
  outcome: Promise<string | null> = Promise.resolve(null);
  muted = false;
  /** How many of the next calls of the store fail. */
  failures = 0;
  /** What waits to be announced. */
  waiting: NotificationLease[] = [];
  readonly calls: string[] = [];
  readonly outcomes: NotificationOutcome[] = [];
  readonly errors: unknown[] = [];

  readonly notifications = new Notifications({
    store: {
      leaseNotifications: ({ final = false, own }: { final?: boolean; own?: ClientPreference | null } = {}) =>
        this.#called(
          `lease${final ? " finally" : ""}${own ? `, ${own.client}: ${own.preference.sound}` : ""}`,
          this.waiting,
        ),
      markNotified: () => this.#called("mark", undefined),
      releaseNotification: () => this.#called("release", undefined),
      prefer: (client: string, { sound }: NotificationPreference) => this.#called(`${client}: ${sound}`, undefined),
    } as unknown as Store,
    notifier: {
      show: ({ body }) => {
        this.calls.push(`show ${body}`);
        return { shown: this.outcome, finished: Promise.resolve() };
      },
      stop: () => void this.calls.push("stop"),
    },
    clock: { now: () => this.time, elapsed: () => this.time },
    muted: () => this.muted,
    onOutcome: (outcome) => this.outcomes.push(outcome),
    onError: (error) => this.errors.push(error),
  });

  /** Announces one message, and answers what was called until that is done. */
  async announce(): Promise<string[]> {
    this.notifications.announce(lease);
    await this.notifications.finish();
    return this.calls.splice(0);
  }

  async look(options?: { final: boolean }): Promise<string[]> {
    await this.notifications.look(options);
    await this.notifications.finish();
    return this.calls.splice(0);
  }

  async #called<T>(call: string, answer: T): Promise<T> {
    this.calls.push(call);
    if (this.failures-- > 0) throw new Error("no disk");
    return answer;
  }
}

describe("a process", () => {
  test("shows a notification after its receipt, and marks it", async () => {
    const t = new Fixture();
    t.notifications.announce(lease);
    expect(t.calls).toEqual([]);
    await t.notifications.finish();
    expect(t.calls).toEqual(["show hello", "mark"]);
    expect(t.outcomes).toEqual([{ reader: "code", count: 1, failure: null }]);
  });

  test("announces what a look finds", async () => {
    const t = new Fixture();
    t.waiting = [{ ...lease, count: 2, more: true }];
    expect(await t.look()).toEqual(["lease", "show 2 more: hello", "mark"]);
    t.waiting = [];
    expect(await t.look({ final: true })).toEqual(["lease finally"]);
  });

  test("that is muted announces nothing, and what it stores counts as announced", async () => {
    const t = new Fixture();
    t.muted = true;
    expect([await t.look(), t.notifications.policy]).toEqual([[], "never"]);
  });

  test("whose notifier failed leaves announcing to others for five minutes", async () => {
    const t = new Fixture();
    t.outcome = Promise.resolve("broken");
    expect(await t.announce()).toEqual(["show hello", "release"]);
    expect(t.outcomes).toMatchObject([{ failure: "broken" }]);
    t.time = 299_999;
    expect([await t.look(), t.notifications.policy]).toEqual([[], "later"]);
    t.time = 300_000;
    expect([await t.look(), t.notifications.policy]).toEqual([["lease"], "now"]);
  });

  test("that stops marks and releases nothing, so that its lease expires", async () => {
    const t = new Fixture();
    const { promise, resolve } = Promise.withResolvers<string | null>();
    t.outcome = promise;
    t.notifications.announce(lease);
    while (t.calls.length === 0) await Bun.sleep(1);
    t.notifications.stop();
    resolve("killed");
    await t.notifications.finish();
    expect([t.calls, t.notifications.policy]).toEqual([["show hello", "stop"], "later"]);
  });
});

describe("a store that fails", () => {
  test("keeps a shown notification's lease, and says so once", async () => {
    const t = new Fixture();
    t.failures = 1;
    expect(await t.announce()).toEqual(["show hello", "mark"]);
    expect(t.errors).toHaveLength(1);
  });

  test("does not end a look, and each look offers the preference again", async () => {
    const t = new Fixture();
    t.failures = 1;
    await t.notifications.prefer("code", { notify: true, sound: "bell" });
    expect(await t.look()).toEqual(["code: bell", "lease, code: bell"]);
    expect(t.errors).toHaveLength(1);
  });
});
