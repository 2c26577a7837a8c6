// design.md, "Lifecycle of a server": a client that answers keeps its server, one that vanished does not.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../src/core/clock.ts";
import { watchIdle } from "../src/server/lifecycle.ts";
import { sandbox, until } from "./support/sandbox.ts";
import { startSession } from "./support/server-process.ts";

const pingInterval = 20;

test("a client that answered a ping, and then no more, is gone after five", async () => {
  let pings = 0;
  const ping = async (limit: number) => {
    pings += 1;
    if (pings > 1) await Bun.sleep(limit);
    return pings === 1;
  };
  await watchIdle({ clock: systemClock, timeout: 30, ping, pingInterval }).gone;
  expect(pings).toBe(6);
});

test.each([
  ["answers now and then", 5],
  ["never answered one", Number.POSITIVE_INFINITY],
])("one that %s never is, and is asked once an interval", async (_name, every) => {
  let pings = 0;
  let isGone = false;
  const ping = async () => {
    pings += 1;
    return pings % every === 0;
  };
  const before = performance.now();
  const watch = watchIdle({ clock: systemClock, timeout: 0, ping, pingInterval });
  void watch.gone.then(() => {
    isGone = true;
  });
  await until("a dozen pings", () => pings >= 12);
  expect(performance.now() - before).toBeGreaterThan(10 * pingInterval);
  expect(isGone).toBe(false);
});

test("a request starts the count again", async () => {
  let pings = 0;
  const watch = watchIdle({
    clock: systemClock,
    timeout: 0,
    ping: async () => {
      pings += 1;
      if (pings === 5) watch.active();
      return pings === 1;
    },
    pingInterval: 5,
  });
  await watch.gone;
  expect(pings).toBe(10);
});

test("an infinite timeout never asks", async () => {
  let pings = 0;
  const ping = async () => {
    pings += 1;
    return true;
  };
  watchIdle({ clock: systemClock, timeout: Number.POSITIVE_INFINITY, ping, pingInterval });
  await Bun.sleep(100);
  expect(pings).toBe(0);
});

test("each ping has two minutes, after which comes the next", async () => {
  const clock = { time: 0, now: () => clock.time, elapsed: () => clock.time };
  const asked: number[] = [];
  const ping = async (limit: number) => {
    asked.push(clock.time);
    clock.time += limit;
    return asked.length === 1;
  };
  await watchIdle({ clock, timeout: 0, ping }).gone;
  expect(asked).toEqual([0, 120_000, 240_000, 360_000, 480_000, 600_000]);
});

test("a server pings its client after an hour by default", async () => {
  await using box = sandbox();
  const speed = 1_000;
  const preload = join(box.home, "fast.ts");
  writeFileSync(
    preload,
    `const [timeout, now] = [setTimeout, performance.now.bind(performance)];
    globalThis.setTimeout = (work, wait = 0, ...args) => timeout(work, wait / ${speed}, ...args);
    performance.now = () => now() * ${speed};`,
  );
  const main = join(import.meta.dir, "../src/main.ts");
  const before = performance.now();
  const server = await startSession(box, { command: [process.execPath, "--preload", preload, main] });
  await until("a ping", () => server.lines.some(({ method }) => method === "ping"), 36_000);
  expect(performance.now() - before).toBeGreaterThan(3_600_000 / speed);
});
