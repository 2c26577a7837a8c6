// Leases, tries, rest and peace, with a clock that obeys: design.md, "Announcing".
import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { systemClock } from "../src/core/clock.ts";
import { createRelay, type Relay } from "../src/core/relay.ts";
import type { Buffer } from "../src/core/store.ts";
import { sqliteBuffer } from "../src/store/sqlite-store.ts";
import { openPatiently } from "./support/database.ts";
import { type FakeNotifier, fakeNotifier } from "./support/notifier.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";

interface TestClock {
  time: number;
  now(): number;
  elapsed(): number;
}

/** One process: its relay, and what it was to show. */
interface Process {
  relay: Relay;
  buffer: Buffer;
  notifier: FakeNotifier;
  /** Sends to Code, and waits until whatever can be announced at once was announced. */
  send(message: string): Promise<void>;
  /** Looks for what is left, and answers what is shown. */
  look(): Promise<string[]>;
}

function testClock(): TestClock {
  const clock = { time: 1_000_000, now: () => clock.time, elapsed: () => clock.time };
  return clock;
}

function startProcess(box: Sandbox, clock: TestClock, muted = false): Process {
  const buffer = sqliteBuffer(() => box.buffer, clock);
  box.defer(() => buffer.close());
  const notifier = fakeNotifier();
  const relay = createRelay({ buffer, clock, notifier, muted: () => muted });
  box.defer(() => relay.announcer.stop());
  const shown = () => notifier.shown.splice(0).map(({ body }) => body);
  return {
    relay,
    buffer,
    notifier,
    async send(message) {
      await relay.send({ sender: "desktop", message });
      if (typeof notifier.outcome !== "object" || notifier.outcome === null) await settle(relay);
    },
    async look() {
      await relay.announcer.look();
      await settle(relay);
      return shown();
    },
  };
}

function startRealTime(box: Sandbox) {
  const buffer = sqliteBuffer(() => box.buffer, systemClock);
  box.defer(() => buffer.close());
  const notifier = fakeNotifier();
  return { notifier, relay: createRelay({ buffer, clock: systemClock, notifier, muted: () => false }) };
}

/** Waits for everything but what waits for the end of a reader's peace, which a clock that stands never brings. */
async function settle(relay: Relay): Promise<void> {
  await Promise.race([relay.announcer.finish(), Bun.sleep(50)]);
}

const never = new Promise<string | null>(() => {});

describe("a lease", () => {
  test.each([
    ["stands before 20 s", 19_999, []],
    ["expires at 20 s", 20_000, ["hello"]],
    ["expires when the clock was set back", -1, ["hello"]],
  ])("%s", async (_name, later, shown) => {
    await using box = sandbox();
    const clock = testClock();
    const killed = startProcess(box, clock);
    killed.notifier.outcome = never;
    await killed.send("hello");
    clock.time += later;
    expect(await startProcess(box, clock).look()).toEqual(shown);
  });

  test("is taken twice at the most", async () => {
    await using box = sandbox();
    const clock = testClock();
    const shown: number[] = [];
    for (let process = 1; process <= 3; process++) {
      const killed = startProcess(box, clock);
      killed.notifier.outcome = never;
      if (process === 1) await killed.send("hello");
      else await killed.relay.announcer.look();
      await Bun.sleep(20);
      shown.push(killed.notifier.shown.length);
      clock.time += 20_000;
    }
    expect(shown).toEqual([1, 1, 0]);
  });

  test("that was given back is taken at once, by a process whose notifier works", async () => {
    await using box = sandbox();
    const clock = testClock();
    const failing = startProcess(box, clock);
    failing.notifier.outcome = "broken";
    await failing.send("hello");
    expect(failing.notifier.shown.splice(0)).toHaveLength(1);
    expect(await failing.look()).toEqual([]);
    expect(await startProcess(box, clock).look()).toEqual(["hello"]);
    expect(await startProcess(box, clock).look()).toEqual([]);
  });

  test("is left behind by a process that stops", async () => {
    await using box = sandbox();
    const clock = testClock();
    const ending = startProcess(box, clock);
    const outcome = Promise.withResolvers<string | null>();
    ending.notifier.outcome = outcome.promise;
    await ending.send("hello");
    await Bun.sleep(20);
    ending.relay.announcer.stop();
    outcome.resolve("killed");
    await Bun.sleep(20);
    expect(ending.notifier.stopped).toBe(true);
    expect(await startProcess(box, clock).look()).toEqual([]);
    clock.time += 20_000;
    expect(await startProcess(box, clock).look()).toEqual(["hello"]);
  });
});

describe("a process whose notifier failed", () => {
  test("leaves announcing to others for five minutes, and then does it again", async () => {
    await using box = sandbox();
    const clock = testClock();
    const process = startProcess(box, clock);
    process.notifier.outcome = "broken";
    await process.send("one");
    expect(process.notifier.shown.splice(0)).toHaveLength(1);
    process.notifier.outcome = null;
    await process.send("two");
    clock.time += 299_999;
    expect(await process.look()).toEqual([]);
    clock.time += 1;
    expect(await process.look()).toEqual(["2 messages: one"]);
  });

  test("gives a message up after its second try, and announces the next one", async () => {
    await using box = sandbox();
    const clock = testClock();
    for (let process = 1; process <= 3; process++) {
      const failing = startProcess(box, clock);
      failing.notifier.outcome = "broken";
      if (process === 1) await failing.send("one");
      else await failing.look();
    }
    const process = startProcess(box, clock);
    expect(await process.look()).toEqual([]);
    await process.send("two");
    expect(process.notifier.shown.map(({ body }) => body)).toEqual(["two"]);
  });

  test("does not disturb the others' peace: nothing was seen", async () => {
    await using box = sandbox();
    const clock = testClock();
    const failing = startProcess(box, clock);
    failing.notifier.outcome = "broken";
    await failing.send("one");
    const process = startProcess(box, clock);
    await process.send("two");
    expect(process.notifier.shown.map(({ body }) => body)).toEqual(["2 messages: one"]);
  });
});

describe("a reader", () => {
  test.each([
    ["is left in peace before 2 s", 1_999, [], ["1 more: two"]],
    ["is told again at 2 s", 2_000, ["two"], []],
    ["is told at once when the clock was set back", -1, ["two"], []],
  ])("%s", async (_name, later, atOnce, afterwards) => {
    await using box = sandbox();
    const clock = testClock();
    const [one, two] = [startProcess(box, clock), startProcess(box, clock)];
    await one.send("one");
    clock.time += later;
    await two.send("two");
    expect(two.notifier.shown.map(({ body }) => body)).toEqual(atOnce);
    expect(await startProcess(box, clock).look()).toEqual([]);
    clock.time += 2_000;
    expect(await startProcess(box, clock).look()).toEqual(afterwards);
  });

  test("is left in peace only by what was for it", async () => {
    await using box = sandbox();
    const { relay, notifier } = startProcess(box, testClock());
    await relay.send({ sender: "desktop", message: "to Code" });
    await relay.send({ sender: "code", message: "to Desktop" });
    await settle(relay);
    expect(notifier.shown.map(({ title }) => title)).toEqual([
      "For Code, from Desktop",
      "For Desktop, from Code",
    ]);
  });

  test("that reads needs no telling, and a page on its way may still", async () => {
    await using box = sandbox();
    const clock = testClock();
    const process = startProcess(box, clock);
    await process.send("one");
    await process.send("two");
    await process.send("three");
    clock.time += 2_000;
    const request = { reader: "code", limit: 2, includeRead: false } as const;
    const { claim } = await process.relay.fetch(request);
    await process.relay.fetch({ ...request, limit: 1 }); // nobody ever confirms this one
    await claim?.show(() => ({ taken: true, finished: Promise.resolve() }));
    expect(await startProcess(box, clock).look()).toEqual([]);
    clock.time += 5_000;
    expect(await startProcess(box, clock).look()).toEqual(["1 more: three"]);
  });

  test("that wants nothing counts as told, also of what others stored, and is not told later", async () => {
    await using box = sandbox();
    const clock = testClock();
    const [sender, reader] = [startProcess(box, clock), startProcess(box, clock)];
    await sender.send("before");
    clock.time += 2_000;
    await reader.relay.announcer.wish("code", { notify: false, sound: "default" });
    await sender.send("meanwhile");
    await reader.relay.announcer.wish("code", { notify: true, sound: "off" });
    expect(await reader.look()).toEqual([]);
    clock.time += 2_000;
    await sender.send("after");
    expect(sender.notifier.shown.map(({ body, sound }) => [body, sound])).toEqual([
      ["before", "default"],
      ["after", null],
    ]);
  });
});

test("a wish that could not be stored is stored later, and one that nobody said yet again in a new file", async () => {
  await using box = sandbox();
  const clock = testClock();
  const [sender, reader] = [startProcess(box, clock), startProcess(box, clock)];
  await sender.relay.announcer.wish("code", { notify: true, sound: "bell" });
  const lock = openPatiently(box.buffer);
  lock.run("BEGIN IMMEDIATE");
  const wished = reader.relay.announcer.wish("code", { notify: true, sound: "off" });
  await Bun.sleep(20);
  clock.time += 6_000; // nobody waits longer
  await wished;
  lock.run("ROLLBACK");
  lock.close();
  await reader.look();
  const sounds = async (text: string) => {
    clock.time += 2_000;
    await sender.send(text);
    return sender.notifier.shown.splice(0).map(({ sound }) => sound);
  };
  expect(await sounds("one")).toEqual([null]);
  rmSync(box.buffer);
  expect(await sounds("two")).toEqual(["default"]); // nobody could know
  await reader.look();
  expect(await sounds("three")).toEqual([null]);
});

test("what was shown is written down as soon as the file can be written again", async () => {
  await using box = sandbox();
  const clock = testClock();
  const buffer = sqliteBuffer(() => box.buffer, clock);
  box.defer(() => buffer.close());
  let failures = 2;
  const failing: Buffer = {
    ...buffer,
    announced: (lease) => (failures-- > 0 ? Promise.reject(new Error("locked")) : buffer.announced(lease)),
  };
  const notifier = fakeNotifier();
  const relay = createRelay({ buffer: failing, clock, notifier, muted: () => false });
  await relay.send({ sender: "desktop", message: "hello" });
  await relay.announcer.finish();
  clock.time += 20_000;
  expect(await startProcess(box, clock).look()).toEqual([]);
});

test("two readers' peace ends for each of them at its own time", async () => {
  await using box = sandbox();
  const { notifier, relay } = startRealTime(box);
  const send = (sender: "desktop" | "code", message: string) => relay.send({ sender, message });
  await send("desktop", "to Code");
  await send("desktop", "more to Code");
  await Bun.sleep(600);
  await send("code", "to Desktop");
  await send("code", "more to Desktop");
  await relay.announcer.finish();
  expect(notifier.shown.map(({ body }) => body)).toEqual([
    "to Code",
    "to Desktop",
    "1 more: more to Code",
    "1 more: more to Desktop",
  ]);
}, 30_000);

test("what a muted process stores counts as announced", async () => {
  await using box = sandbox();
  const clock = testClock();
  const muted = startProcess(box, clock, true);
  await muted.send("quiet");
  expect(muted.notifier.shown).toEqual([]);
  expect(await startProcess(box, clock).look()).toEqual([]);
});

test("a process that found nothing left sees what others store, and what it could not announce itself", async () => {
  await using box = sandbox();
  const clock = testClock();
  const process = startProcess(box, clock);
  await process.send("one");
  expect(process.notifier.shown.splice(0)).toHaveLength(1);
  clock.time += 2_000;
  expect(await process.look()).toEqual([]);
  using other = openPatiently(box.buffer);
  other.run("INSERT INTO messages (sender, message, timestamp) VALUES ('desktop', 'theirs', '')");
  expect(await process.look()).toEqual(["theirs"]);
  await process.send("its own");
  expect(await process.look()).toEqual([]);
  clock.time += 2_000;
  expect(await process.look()).toEqual(["1 more: its own"]);
});

test("a wish that is the default one makes no file, any other does", async () => {
  await using box = sandbox();
  const { relay } = startProcess(box, testClock());
  await relay.announcer.wish("code", { notify: true, sound: "default" });
  expect(await Bun.file(box.buffer).exists()).toBe(false);
  await relay.announcer.wish("code", { notify: true, sound: "bell" });
  expect(await Bun.file(box.buffer).exists()).toBe(true);
});

test("a buffer that fails is reported, and costs the announcement only", async () => {
  await using box = sandbox();
  const clock = testClock();
  const buffer = sqliteBuffer(() => box.buffer, clock);
  box.defer(() => buffer.close());
  const reports: unknown[] = [];
  const failing: Buffer = { ...buffer, announced: () => Promise.reject(new Error("no disk")) };
  const report = (outcome: unknown) => void reports.push(outcome);
  const notifier = fakeNotifier();
  const relay = createRelay({ buffer: failing, clock, notifier, muted: () => false, report });
  expect((await relay.send({ sender: "desktop", message: "hello" })).receipt).toMatchObject({
    ok: true,
    id: 1,
  });
  await relay.announcer.finish();
  expect(notifier.shown).toHaveLength(1);
  const again = Array.from({ length: 3 }, () => new Error("no disk"));
  expect(reports).toEqual(["announcing 1 to code: done", ...again]);
});
