import { Database } from "bun:sqlite";
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import type { Fault } from "./plan.ts";
import type { World } from "./world.ts";

/** Changes what is at the path, and notes which file is there from then on. */
export type Change = (what: string, file: number, work: () => void) => void;

/** Does a fault, holds it and mends it. `inPeace` runs work while no process is killed or stands still. */
export async function suffer(
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

// There may be no file just now, or a journal to be played back first.
async function readSlowly(world: World, hold: number): Promise<void> {
  const over = world.trouble("lock", "");
  for (const end = world.now() + hold; world.now() < end; ) {
    try {
      using db = new Database(world.place.buffer, { readonly: true });
      db.run("BEGIN");
      const statement = db.prepare("SELECT id FROM messages");
      statement.all();
      world.count("times the file was locked");
      await Bun.sleep(end - world.now());
      statement.finalize();
      db.run("COMMIT");
    } catch {
      await Bun.sleep(10);
    }
  }
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
  change("renamed", newFile(world), () => void move(place.buffer, away));
  history.kept.set(file, away);
  world.count("times the file was renamed");
}

async function renameAndBack(world: World, hold: number, change: Change): Promise<void> {
  const { place, history } = world;
  const away = join(place.home, "away");
  const file = currentFile(world);
  let isAway = false;
  change("renamed", newFile(world), () => {
    isAway = move(place.buffer, away);
  });
  if (!isAway) return; // what is made at the path now stays there
  await Bun.sleep(hold);
  history.removed.add(currentFile(world));
  change("renamed back", file, () => void move(away, place.buffer));
  world.count("times the file was renamed, and back");
}

// Answers false if there was none just now.
function move(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}
