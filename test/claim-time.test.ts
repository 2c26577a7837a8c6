// Claims and time, with a clock that obeys: design.md, "Tools" and "The file".
import { describe, expect, test } from "bun:test";
import type { Clock } from "../src/core/clock.ts";
import { RelayError } from "../src/core/errors.ts";
import { createRelay, type Relay } from "../src/core/relay.ts";
import type { Buffer } from "../src/core/store.ts";
import { WriteFailed, type Writing } from "../src/core/write.ts";
import { sqliteBuffer } from "../src/store/sqlite-store.ts";
import { fakeNotifier } from "./support/notifier.ts";
import { type Sandbox, sandbox, until } from "./support/sandbox.ts";

const taken: Writing = { taken: true, finished: Promise.resolve() };
const slow: Writing = { taken: false, finished: Promise.resolve() };

function setUp(box: Sandbox): { relay: Relay; clock: Clock & { time: number }; buffer: Buffer } {
  const clock = { time: 1_000_000, now: () => clock.time, elapsed: () => performance.now() };
  const buffer = sqliteBuffer(() => box.buffer, clock);
  box.defer(() => buffer.close());
  return {
    relay: createRelay({ buffer, clock, notifier: fakeNotifier(), muted: () => false }),
    clock,
    buffer,
  };
}

const request = { reader: "code", limit: 20, includeRead: false } as const;

describe("a claim", () => {
  test.each([
    ["stands before 5 s", 4_999, []],
    ["expires at 5 s, and the message may have been shown", 5_000, [[1, true]]],
    ["expires when the clock was set back", -1, [[1, true]]],
    ["stands at the same moment", 0, []],
  ])("%s", async (_name, later, offered) => {
    await using box = sandbox();
    const { relay, clock } = setUp(box);
    await relay.send({ sender: "desktop", message: "x" });
    await relay.fetch(request);
    clock.time += later;
    const { page } = await relay.fetch(request);
    expect(page.messages.map(({ id, maybe_shown }) => [id, maybe_shown] as [number, boolean])).toEqual(
      offered as [number, boolean][],
    );
    expect([page.remaining, page.elsewhere]).toEqual(offered.length > 0 ? [0, 0] : [1, 1]);
  });

  test("that another reader was given is not shown here any more", async () => {
    await using box = sandbox();
    const { relay, clock } = setUp(box);
    await relay.send({ sender: "desktop", message: "x" });
    const first = await relay.fetch(request);
    clock.time += 5_000;
    const second = await relay.fetch(request);
    let shown = 0;
    const begin = () => {
      shown += 1;
      return taken;
    };
    expect(await first.claim?.show(begin)).toBe("taken");
    expect(await second.claim?.show(begin)).toBe("delivered");
    expect(await first.claim?.show(begin)).toBe("taken");
    expect(shown).toBe(1);
  });

  test("that another reader was given while this one's writing came to nothing was shown, and says so", async () => {
    await using box = sandbox();
    const { clock, buffer } = setUp(box);
    await buffer.append({ sender: "desktop", message: "x", announce: "never", claim: "receipt" });
    const present: Buffer["present"] = async (claim, delivery, write) => {
      write(); // in a transaction that could not be committed; when it was done again, it was too late
      clock.time += 5_000;
      await buffer.claim({ ...request, claim: "another" });
      return buffer.present(claim, delivery, write);
    };
    const slowed = createRelay({
      buffer: { ...buffer, present },
      clock,
      notifier: fakeNotifier(),
      muted: () => false,
    });
    const { claim } = await slowed.fetch(request);
    expect(await claim?.show(() => taken)).toBe("delivered");
    expect(await buffer.peek(request)).toMatchObject({ remaining: 1, elsewhere: 1 }); // it is the other one's
  });

  test("whose writing was taken back, because the buffer failed, is offered again as it was", async () => {
    await using box = sandbox();
    const { clock, buffer } = setUp(box);
    await buffer.append({ sender: "desktop", message: "x", announce: "never", claim: "receipt" });
    const present: Buffer["present"] = async (_claim, _delivery, write) => {
      write();
      throw new RelayError("buffer", "it is locked");
    };
    const failing = createRelay({
      buffer: { ...buffer, present },
      clock,
      notifier: fakeNotifier(),
      muted: () => false,
    });
    const { claim } = await failing.fetch(request);
    const queued = Promise.withResolvers<void>();
    await expect(claim?.show(() => ({ taken: false, finished: queued.promise }))).rejects.toThrow("locked");
    expect(await buffer.peek(request)).toMatchObject({ messages: [], elsewhere: 1 });
    queued.reject(new WriteFailed(false, "ECANCELED"));
    await until("it to be given back", async () => (await buffer.peek(request)).elsewhere === 0);
    expect((await buffer.peek(request)).messages).toMatchObject([{ id: 1, maybe_shown: false }]);
  });

  test("that expired and nobody took is shown after all, once", async () => {
    await using box = sandbox();
    const { relay, clock } = setUp(box);
    await relay.send({ sender: "desktop", message: "x" });
    const { claim } = await relay.fetch(request);
    clock.time += 60_000;
    expect(await claim?.show(() => taken)).toBe("delivered");
    expect((await relay.fetch(request)).page.messages).toEqual([]);
  });

  test("that a slow reader takes starts its time anew when the writing begins", async () => {
    await using box = sandbox();
    const { relay, clock } = setUp(box);
    await relay.send({ sender: "desktop", message: "x" });
    const { claim } = await relay.fetch(request);
    const reading = Promise.withResolvers<void>();
    clock.time += 4_000;
    const showing = claim?.show(() => ({ taken: false, finished: reading.promise }));
    clock.time += 4_000;
    expect((await relay.fetch(request)).page).toMatchObject({ messages: [], elsewhere: 1 });
    reading.resolve();
    expect(await showing).toBe("delivered");
  });

  test("whose reader stopped waiting while it was written may have been shown", async () => {
    await using box = sandbox();
    const { relay } = setUp(box);
    await relay.send({ sender: "desktop", message: "x" });
    const { claim } = await relay.fetch(request);
    expect(
      await claim?.show(
        () => slow,
        () => true,
      ),
    ).toBe("abandoned");
    expect((await relay.fetch(request)).page.messages).toMatchObject([{ id: 1, maybe_shown: true }]);
  });

  test("counts as unread until it is delivered, also for eviction; what arrived after all is no loss", async () => {
    await using box = sandbox();
    const { relay } = setUp(box);
    for (let n = 1; n <= 20; n++) await relay.send({ sender: "desktop", message: `${n}` });
    const { claim } = await relay.fetch({ ...request, limit: 1 });
    const { receipt } = await relay.send({ sender: "desktop", message: "21" });
    expect(receipt).toMatchObject({ evicted_unread: [1], unread: 20 });
    expect(await claim?.show(() => taken)).toBe("delivered");
    expect((await relay.fetch(request)).page.losses).toEqual([]);
  });

  test("on a loss that is taken back after the message arrived all the same tells of none again", async () => {
    await using box = sandbox();
    const { relay } = setUp(box);
    for (let n = 1; n <= 20; n++) await relay.send({ sender: "desktop", message: `${n}` });
    const arriving = await relay.fetch({ ...request, limit: 1 });
    await relay.send({ sender: "desktop", message: "21" });
    const telling = await relay.fetch(request);
    expect(telling.page.losses).toMatchObject([{ id: 1 }]);
    expect(await telling.claim?.show(() => taken)).toBe("delivered");
    expect(await arriving.claim?.show(() => taken)).toBe("delivered");
    await telling.claim?.reopen();
    expect((await relay.fetch(request)).page.losses).toEqual([]);
    await arriving.claim?.reopen();
    expect((await relay.fetch(request)).page.losses).toMatchObject([{ id: 1 }]);
  });

  test("on losses is given back with them, and they are told again", async () => {
    await using box = sandbox();
    const { relay } = setUp(box);
    for (let n = 1; n <= 21; n++) await relay.send({ sender: "desktop", message: `${n}` });
    const first = await relay.fetch(request);
    expect(first.page.losses).toMatchObject([{ id: 1 }]);
    await first.claim?.withdraw();
    const second = await relay.fetch(request);
    expect(second.page.losses).toMatchObject([{ id: 1 }]);
    await second.claim?.show(() => taken);
    await second.claim?.reopen();
    await second.claim?.reopen(); // as it is done when nobody knows whether it was committed
    const third = await relay.fetch(request);
    expect(third.page.losses).toMatchObject([{ id: 1 }]);
    expect(third.page.messages).toHaveLength(20);
    expect(third.page.messages.every(({ maybe_shown }) => maybe_shown)).toBe(true);
  });

  test("on a message that went while it counted as read is a loss when its reader stopped waiting", async () => {
    await using box = sandbox();
    const { relay } = setUp(box);
    await relay.send({ sender: "desktop", message: "1" });
    const { claim } = await relay.fetch(request);
    await claim?.show(() => taken);
    for (let n = 2; n <= 21; n++) await relay.send({ sender: "code", message: `${n}` });
    await claim?.reopen();
    expect((await relay.fetch(request)).page.losses).toMatchObject([{ id: 1, cleared_by: null }]);
    const { receipt } = await relay.send({ sender: "desktop", message: "22" });
    expect(receipt.dropped).toEqual([1]);
  });
});

describe("a receipt that tells of losses", () => {
  const fails = () => Promise.reject(new RelayError("buffer", "there is no room left"));
  const failing: [name: string, writing: Writing, methods: Partial<Buffer>][] = [
    ["at once", taken, { present: fails }],
    ["slowly", slow, { present: fails, deliver: fails }],
    [
      "and the file failed only then",
      taken,
      {
        present: async (_claim, _delivery, write) => {
          write();
          return fails();
        },
      },
    ],
  ];

  test.each(failing)(
    "is shown %s although the file fails, and they are told again",
    async (_name, writing, methods) => {
      await using box = sandbox();
      const { relay, clock, buffer } = setUp(box);
      await relay.send({ sender: "desktop", message: "x" });
      await relay.clear("code");
      const working = { ...buffer };
      Object.assign(buffer, methods);
      const sent = await relay.send({ sender: "desktop", message: "y" });
      expect(sent.receipt).toMatchObject({ id: 2, cleared: [1] });
      let shown = 0;
      const begin = () => {
        shown += 1;
        return writing;
      };
      expect(await sent.claim?.show(begin)).toBe("delivered");
      expect(shown).toBe(1);
      Object.assign(buffer, working);
      clock.time += 5_000;
      expect((await relay.send({ sender: "desktop", message: "z" })).receipt).toMatchObject({ cleared: [1] });
    },
  );
});
