import { type Change, suffer } from "./faults.ts";
import type { Fault, Strike } from "./plan.ts";
import { kill, type Started, type World } from "./world.ts";

/** What does harm, until the round is over and everything is mended. */
export interface Chaos {
  kills(plan: Iterator<Strike, never>): Promise<void>;
  stops(plan: Iterator<Strike, never>): Promise<void>;
  /** `atLeast` so many faults happen, even if the round's time is over before. */
  faults(plan: Iterator<Fault, never>, atLeast: number): Promise<void>;
  /** Resolves when they happened. */
  readonly enough: Promise<void>;
}

// How long a process may be in the middle of writing, with its journal beside the file. Whoever moves the file away
// from the journal of a process that was killed there, or stands still, destroys it by himself
// (sqlite.org/howtocorrupt.html, 1.2 and 1.4).
const settleMilliseconds = 400;

// How often it is looked, a millisecond apart, whether somebody asks for a page.
const mostPolls = 300;

/** Chaos for a world. */
export function createChaos(world: World): Chaos {
  let peace = 0;
  let lastStrike = Number.NEGATIVE_INFINITY;
  const stopped = new Set<Started>();
  const enough = Promise.withResolvers<void>();

  const findTarget = async ({ wait, lane, afterAsking }: Strike): Promise<Started | null> => {
    await Bun.sleep(wait);
    if (afterAsking === null) return world.lanes[lane % world.lanes.length]?.current ?? null;
    for (let polls = 0; polls < mostPolls; polls++) {
      const [target] = world.asking;
      if (target && peace === 0) {
        await Bun.sleep(afterAsking);
        return target;
      }
      await Bun.sleep(1);
    }
    return null;
  };

  // No process is killed or stands still just before or while the file is moved.
  const inPeace = async (work: () => Promise<void> | void) => {
    peace += 1;
    try {
      while (stopped.size > 0 || world.now() - lastStrike < settleMilliseconds) await Bun.sleep(20);
      await work();
      await Bun.sleep(settleMilliseconds);
    } finally {
      peace -= 1;
    }
  };

  const change: Change = (what, file, work) => {
    const from = world.now();
    const over = world.trouble("replaced", what);
    work();
    world.history.eras.push({ file, since: { from, to: world.now() } });
    setTimeout(over, settleMilliseconds);
  };

  return {
    async kills(plan) {
      while (world.running) {
        const target = await findTarget(plan.next().value);
        if (!target || peace > 0 || !world.running) continue;
        lastStrike = world.now();
        kill(world, target);
        world.count("kills with SIGKILL");
      }
    },

    async stops(plan) {
      while (world.running) {
        const strike = plan.next().value;
        const target = await findTarget(strike);
        if (!target || peace > 0 || !world.running) continue;
        stopped.add(target);
        world.count("stops with SIGSTOP");
        await standStill(world, target, strike.hold);
        stopped.delete(target);
        lastStrike = world.now();
      }
    },

    async faults(plan, atLeast) {
      for (let done = 0; world.running; done++) {
        if (done === atLeast) enough.resolve();
        const fault = plan.next().value;
        await Bun.sleep(fault.wait);
        if (world.running) await suffer(world, fault, change, inPeace);
      }
    },
    enough: enough.promise,
  };
}

async function standStill(world: World, { actor, child }: Started, milliseconds: number): Promise<void> {
  const over = world.trouble("stop", `${actor.name} (${actor.pid})`);
  const span = { from: world.now(), to: Number.POSITIVE_INFINITY };
  actor.stops.push(span);
  child.kill("SIGSTOP");
  for (const end = world.now() + milliseconds; world.now() < end && world.running; ) await Bun.sleep(20);
  child.kill("SIGCONT");
  span.to = world.now();
  over();
}
