// Who waits for which answer: design.md, "Tools".
import { expect, test } from "bun:test";
import type { Claim } from "../src/core/delivery.ts";
import { createDeliveries } from "../src/server/deliveries.ts";

function setUp() {
  const deliveries = createDeliveries((error) => {
    throw error;
  });
  const done: string[] = [];
  const claim: Claim = {
    async show() {
      done.push("shown");
      return "delivered";
    },
    async withdraw() {
      done.push("withdrawn");
    },
    async reopen() {
      done.push("reopened");
    },
  };
  return { deliveries, claim, done, signal: new AbortController().signal };
}

test("a cancellation between the work and its answer gives the page back, and leaves nothing behind", async () => {
  const { deliveries, claim, done, signal } = setUp();
  deliveries.begun(1);
  deliveries.attach(1, claim);
  deliveries.ended(1);
  deliveries.cancelled(1); // of whose answer the SDK makes nothing
  expect(await deliveries.inTurn(async () => "next", signal)).toBe("next");
  expect([done, deliveries.working]).toEqual([["withdrawn"], 0]);
});

test("whoever waits for a turn and is cancelled does not wait any longer, and nothing was run", async () => {
  const { deliveries, claim, signal } = setUp();
  deliveries.attach(1, claim);
  const cancelling = new AbortController();
  let ran = false;
  const waiting = deliveries.inTurn(async () => {
    ran = true;
  }, cancelling.signal);
  const behind = deliveries.inTurn(async () => "behind", signal);
  cancelling.abort();
  await expect(waiting).rejects.toThrow();
  deliveries.begun(1);
  deliveries.cancelled(1);
  expect([await behind, ran]).toEqual(["behind", false]);
  await expect(deliveries.inTurn(async () => "too late", cancelling.signal)).rejects.toThrow();
  expect(await deliveries.inTurn(async () => "free", signal)).toBe("free");
});

test("what could not be reopened is tried again until it was, and keeps nobody waiting meanwhile", async () => {
  const failures: unknown[] = [];
  const deliveries = createDeliveries((error) => failures.push(error));
  const { claim, signal } = setUp();
  const reopened = Promise.withResolvers<number>();
  let tries = 0;
  const reopen = async () => {
    tries += 1;
    if (tries < 4) throw new Error("the disk is full");
    reopened.resolve(tries);
  };
  deliveries.attach(1, { ...claim, reopen });
  await deliveries.deliver(1, () => ({ taken: true, finished: Promise.resolve(), cancel: () => false }));
  deliveries.cancelled(1);
  expect(await deliveries.inTurn(async () => tries, signal)).toBe(1);
  await deliveries.withdrawAll();
  expect(tries).toBe(2);
  expect(await reopened.promise).toBe(4);
  await Bun.sleep(1_500); // longer than it would take to try again
  expect([tries, failures]).toEqual([4, [new Error("the disk is full")]]);
});

test("what is being reopened when the server is to end is reopened once", async () => {
  const deliveries = createDeliveries(() => {});
  const { claim } = setUp();
  const again = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  let tries = 0;
  const reopen = async () => {
    tries += 1;
    if (tries === 1) throw new Error("the file is locked");
    again.resolve();
    await locked.promise;
  };
  deliveries.attach(1, { ...claim, reopen });
  await deliveries.deliver(1, () => ({ taken: true, finished: Promise.resolve(), cancel: () => false }));
  deliveries.cancelled(1);
  await again.promise;
  const ended = deliveries.withdrawAll();
  locked.resolve();
  await ended;
  expect(tries).toBe(2);
});

test("work counts until it is over, and again while its answer is written", async () => {
  const { deliveries } = setUp();
  const counts: number[] = [];
  deliveries.begun(1);
  counts.push(deliveries.working);
  deliveries.ended(1);
  counts.push(deliveries.working);
  await deliveries.deliver(1, () => {
    counts.push(deliveries.working);
    return { taken: true, finished: Promise.resolve(), cancel: () => false };
  });
  counts.push(deliveries.working);
  expect(counts).toEqual([1, 0, 1, 0]);
});
