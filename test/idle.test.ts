// design.md, "Lifecycle of a server": a client that answers keeps its server, one that vanished does not.
import { expect, test } from "bun:test";
import { systemClock } from "../src/clock.ts";
import { watchIdle } from "../src/server/idle.ts";

const pingInterval = 20;

test("a client that answers no ping is gone after five", async () => {
  let pings = 0;
  const ping = async (limit: number) => {
    pings += 1;
    await Bun.sleep(limit);
    return false;
  };
  await watchIdle({ clock: systemClock, timeout: 30, ping, pingInterval }).gone;
  expect(pings).toBe(5);
});

test("one that answers now and then never is, and is asked once an interval", async () => {
  let pings = 0;
  const ping = async () => {
    pings += 1;
    return pings % 5 === 0;
  };
  const watch = watchIdle({ clock: systemClock, timeout: 30, ping, pingInterval });
  const outcome = await Promise.race([
    watch.gone.then(() => "gone"),
    Bun.sleep(15 * pingInterval).then(() => "there"),
  ]);
  expect(outcome).toBe("there");
  expect(pings).toBeGreaterThan(4);
  expect(pings).toBeLessThan(16);
});

test("a request starts the count anew", async () => {
  let pings = 0;
  const watch = watchIdle({
    clock: systemClock,
    timeout: 0,
    ping: async () => {
      pings += 1;
      if (pings === 4) watch.active();
      return false;
    },
    pingInterval: 5,
  });
  await watch.gone;
  expect(pings).toBe(9);
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
