import { Database } from "bun:sqlite";
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
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

/** Chaos for a world. */
export function createChaos(world: World): Chaos {
  let peace = 0;
  let lastStrike = Number.NEGATIVE_INFINITY;
  const stopped = new Set<Started>();
  const enough = Promise.withResolvers<void>();

  const strikeWhere = (lane: number) => world.lanes[lane % world.lanes.length]?.current ?? null;

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

  const change = (what: string, file: number, work: () => void) => {
    const from = world.now();
    const over = world.trouble("replaced", what);
    work();
    world.history.eras.push({ file, since: { from, to: world.now() } });
    setTimeout(over, settleMilliseconds);
  };

  return {
    async kills(plan) {
      while (world.running) {
        const { wait, lane } = plan.next().value;
        await Bun.sleep(wait);
        const target = strikeWhere(lane);
        if (!target || peace > 0 || !world.running) continue;
        lastStrike = world.now();
        kill(world, target);
        world.count("kills with SIGKILL");
      }
    },

    async stops(plan) {
      while (world.running) {
        const { wait, lane, hold } = plan.next().value;
        await Bun.sleep(wait);
        const target = strikeWhere(lane);
        if (!target || peace > 0 || !world.running) continue;
        stopped.add(target);
        world.count("stops with SIGSTOP");
        await standStill(world, target, hold);
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

type Change = (what: string, file: number, work: () => void) => void;

async function suffer(
  world: World,
  { kind, hold, jump }: Fault,
  change: Change,
  inPeace: (work: () => Promise<void> | void) => Promise<void>,
): Promise<void> {
  const { place } = world;
  switch (kind) {
    case "fill the disk":
      return place.hasDisk ? fillDisk(world, hold) : undefined;
    case "clock":
      world.jump(jump);
      return world.count("clock jumps", Number(place.hasClock));
    case "read-only":
      return makeReadOnly(world, hold);
    case "slow reader":
      return readSlowly(world, hold * 2);
    case "remove":
      return removeFile(world, change);
    case "rename away":
      return inPeace(() => renameAway(world, change));
    case "rename and back":
      return inPeace(() => renameAndBack(world, hold, change));
  }
}

async function fillDisk(world: World, hold: number): Promise<void> {
  const over = world.trouble("disk", "full");
  const path = join(world.place.home, "filler");
  const descriptor = openSync(path, "w");
  const full = () => {
    try {
      for (const chunk = Buffer.alloc(65_536, 1); ; ) writeSync(descriptor, chunk);
    } catch {} // that is what it is for
  };
  world.count("times the disk was full");
  for (const end = world.now() + hold; world.now() < end; ) {
    full(); // also what others free meanwhile
    await Bun.sleep(10);
  }
  closeSync(descriptor);
  rmSync(path);
  over();
}

async function makeReadOnly(world: World, hold: number): Promise<void> {
  const over = world.trouble("read-only", "");
  const { buffer } = world.place;
  await chmod(buffer, 0o400).catch(() => {}); // there may be none just now
  world.count("times the file was read-only");
  await Bun.sleep(hold);
  await chmod(buffer, 0o600).catch(() => {});
  over();
}

async function readSlowly(world: World, hold: number): Promise<void> {
  const over = world.trouble("lock", "");
  try {
    using db = new Database(world.place.buffer, { readonly: true });
    db.run("BEGIN");
    const statement = db.prepare("SELECT id FROM messages");
    statement.all();
    world.count("times the file was locked");
    await Bun.sleep(hold);
    statement.finalize();
    db.run("COMMIT");
  } catch {} // there may be none just now, or a journal to be played back
  over();
}

function newFile(world: World): number {
  return Math.max(...world.history.eras.map(({ file }) => file)) + 1;
}

function currentFile({ history }: World): number {
  return history.eras.at(-1)?.file ?? 0;
}

function removeFile(world: World, change: Change): void {
  world.history.removed.add(currentFile(world));
  change("removed", newFile(world), () => rmSync(world.place.buffer, { force: true }));
  world.count("times the file was removed");
}

function renameAway(world: World, change: Change): void {
  const { place, history } = world;
  const away = join(place.home, `away-${world.round}-${newFile(world)}`);
  const file = currentFile(world);
  change("renamed", newFile(world), () => move(place.buffer, away));
  history.kept.set(file, away);
  world.count("times the file was renamed");
}

async function renameAndBack(world: World, hold: number, change: Change): Promise<void> {
  const { place, history } = world;
  const away = join(place.home, "away");
  const file = currentFile(world);
  change("renamed", newFile(world), () => move(place.buffer, away));
  await Bun.sleep(hold);
  history.removed.add(currentFile(world));
  change("renamed back", file, () => move(away, place.buffer));
  world.count("times the file was renamed, and back");
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {} // there was none just now
}
