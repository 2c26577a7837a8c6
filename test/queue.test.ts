import { expect, test } from "bun:test";
import { systemClock } from "../src/core/clock.ts";
import { createQueue } from "../src/store/queue.ts";
import { sqliteBuffer } from "../src/store/sqlite-store.ts";
import { sandbox } from "./support/sandbox.ts";

test("work is done one after the other, in its order, and what is urgent before what waits", async () => {
  const queue = createQueue();
  const done: string[] = [];
  let running = 0;
  const work = (name: string) => async () => {
    expect(running).toBe(0);
    running += 1;
    await Bun.sleep(1);
    running -= 1;
    done.push(name);
  };
  await Promise.all([
    queue.run(work("first")),
    queue.run(work("second")),
    queue.run(work("third")),
    queue.run(work("urgent"), true),
    queue.run(work("urgent too"), true),
  ]);
  await queue.run(work("last"));
  expect(done).toEqual(["first", "urgent", "urgent too", "second", "third", "last"]);
});

test("work that fails is its caller's trouble alone", async () => {
  const queue = createQueue();
  const failing = queue.run(() => Promise.reject(new Error("no")));
  const throwing = queue.run(() => {
    throw new Error("at once");
  });
  const next = queue.run(async () => "yes");
  await expect(failing).rejects.toThrow("no");
  await expect(throwing).rejects.toThrow("at once");
  expect(await next).toBe("yes");
});

test("after each piece of work the event loop turns, also if nothing waits yet", async () => {
  const queue = createQueue();
  let turns = 0;
  const work = async () => void setImmediate(() => (turns += 1));
  const together = [queue.run(work), queue.run(work), queue.run(async () => turns)];
  expect(await Promise.all(together)).toEqual([undefined, undefined, 2]);
  for (let n = 0; n < 10; n++) {
    await queue.run(work);
    await null;
    await null;
  }
  expect(await queue.run(async () => turns)).toBe(12);
});

test("a receipt that tells of losses does not wait for the sends behind it", async () => {
  await using box = sandbox();
  const buffer = sqliteBuffer(() => box.buffer, systemClock);
  box.defer(() => buffer.close());
  const order: string[] = [];
  const send = async (message: string) => {
    const claim = crypto.randomUUID();
    const { id, losses, file } = await buffer.append({ sender: "code", message, announce: "never", claim });
    order.push(`stored ${id}`);
    if (losses.length === 0) return;
    const delivery = { reader: "code", ids: [], readAt: "", file } as const;
    await buffer.present(claim, delivery, () => order.push(`told ${id}`) > 0);
  };
  for (let n = 1; n <= 20; n++) await send("old");
  order.length = 0;
  await Promise.all(["a", "b", "c"].map(send)); // each drops one that nobody read
  expect(order).toEqual(["stored 21", "told 21", "stored 22", "told 22", "stored 23", "told 23"]);
});
