import { Database } from "bun:sqlite";
import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { until } from "../support/sandbox.ts";
import { kill, type Process, type Run } from "./run.ts";
import type { Fault, Plan, Stream, Strike } from "./workload.ts";

// A file that was moved stays locked for longer than relay waits for a lock before it looks at the path again, and for
// longer than a commit takes.
const moveMilliseconds = 500;

const lockMilliseconds = 15_000; // longer than any process stands still
const mostLooks = 300; // a millisecond apart, for a process that is asked for a page

/** Causes one fault after the other, again and again for so long, and each at least once. */
export async function causeFaults(run: Run, faults: Plan["faults"], milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  for (let n = 0; n < faults.length || performance.now() < end; n++) {
    const fault = faults[n % faults.length];
    await Bun.sleep(fault ? fault.wait : milliseconds);
    if (fault) await causes[fault.kind](run, fault);
  }
}

/** Each causes a fault if it can, lets it last, and mends it. */
const causes: Record<Fault["kind"], (run: Run, fault: Fault) => Promise<unknown>> = {
  clock: (run, { jump }) => run.jump(jump),
  removed: (run) => moveAway(run, true),
  renamed: (run) => moveAway(run, false),
  "renamed back": moveAwayAndBack,

  async restarted(run) {
    await run.trouble("faults: restarted", async () => run.server?.control("restart", "-m", "immediate"));
  },

  async "connections cut"(run) {
    const cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'relay'";
    await run.trouble("faults: connections cut", async () => run.server?.query(cut));
  },

  async "disk full"(run, { hold }) {
    if (!run.place.hasDisk) return;
    const path = `${run.place.home}/filler`;
    const descriptor = openSync(path, "w");
    await run.trouble("faults: disk full", async () => {
      for (const end = performance.now() + hold; performance.now() < end; ) {
        try {
          for (const chunk = Buffer.alloc(65_536, 1); ; ) writeSync(descriptor, chunk); // also what others free
        } catch {} // that is what it is for
        await Bun.sleep(10);
      }
      closeSync(descriptor);
      rmSync(path);
    });
  },

  async "read-only"(run, { hold }) {
    const { buffer } = run.place;
    if (!existsSync(buffer)) return;
    await run.trouble("faults: read-only", async () => {
      chmodSync(buffer, 0o400);
      await Bun.sleep(hold);
      chmodSync(buffer, 0o600);
    });
  },

  async locked(run, { hold }) {
    await run.trouble("faults: locked", async () => {
      using reader = await lock(run.place.buffer, "BEGIN; SELECT count(*) FROM sqlite_schema");
      if (reader) await Bun.sleep(hold * 2);
    });
  },
};

/** Opens a file and locks it with these statements; null if there is none, or others keep it locked. */
async function lock(path: string, statements: string): Promise<Database | null> {
  for (const end = performance.now() + lockMilliseconds; existsSync(path) && performance.now() < end; ) {
    const db = new Database(path, { readwrite: true, create: false });
    try {
      db.run("PRAGMA busy_timeout = 20");
      db.run(statements);
      return db;
    } catch {
      db.close();
    }
    await Bun.sleep(1);
  }
  return null;
}

/** Moves the file away or removes it, while nobody writes in it. Answers which it was; null if there was none. */
async function moveAway(run: Run, isRemoved: boolean): Promise<{ file: number; path: string } | null> {
  const { place, history } = run;
  await spareAll(run);
  using locked = await lock(place.buffer, "BEGIN EXCLUSIVE");
  const file = history.generations.at(-1)?.file ?? 0;
  const path = `${place.home}/away-${history.generations.length}.db`;
  if (locked) {
    if (isRemoved) history.removed.add(file);
    else history.away.set(file, path);
    const next = 1 + Math.max(...history.generations.map((generation) => generation.file));
    const move = () => (isRemoved ? rmSync(place.buffer) : renameSync(place.buffer, path));
    await changePath(run, isRemoved ? "removed" : "renamed", next, move);
  }
  run.areSpared = false;
  return locked && { file, path };
}

/** What is committed in the file at the path just as the first one replaces it has to be done again in the first one. */
async function moveAwayAndBack(run: Run, { hold }: Fault): Promise<void> {
  const { place, history } = run;
  const moved = await moveAway(run, false);
  if (!moved) return;
  await Bun.sleep(hold);
  await spareAll(run);
  using _ = await lock(moved.path, "BEGIN EXCLUSIVE");
  const other = await lock(place.buffer, "BEGIN EXCLUSIVE"); // plays back what a killed process left
  other?.close();
  history.removed.add(history.generations.at(-1)?.file ?? 0);
  history.away.delete(moved.file);
  await changePath(run, "renamed back", moved.file, () => renameSync(moved.path, place.buffer));
  run.areSpared = false;
}

/**
 * Waits until no process stands still, and spares all from now on. What one has left in the journal, in the middle of a
 * commit, or plays back from it when it goes on, is of another file then (sqlite.org/howtocorrupt.html, 1.4).
 */
async function spareAll(run: Run): Promise<void> {
  run.areSpared = true;
  await until("all go on", () => run.history.troubles.every(({ to }) => Number.isFinite(to)));
}

/** Lets the path lead to another file, or to one that relay has to make. */
async function changePath(run: Run, how: string, file: number, change: () => void): Promise<void> {
  const { generations } = run.history;
  await run.trouble(`faults: ${how}`, async () => {
    const from = performance.now();
    change();
    Object.assign(generations.at(-1) ?? {}, { to: performance.now() });
    generations.push({ file, from, to: Number.POSITIVE_INFINITY });
    await Bun.sleep(moveMilliseconds);
  });
}

/** Kills one process after another, as long as the round lasts. */
export async function killAll(run: Run, plan: Stream<Strike>): Promise<void> {
  while (run.isGoing) {
    const target = await findTarget(run, plan.next().value);
    run.count("kills", target ? 1 : 0);
    if (target) kill(target);
  }
}

/** Stops one process after another, as long as the round lasts, and lets each go on. */
export async function stopAll(run: Run, plan: Stream<Strike>): Promise<void> {
  while (run.isGoing) {
    const strike = plan.next().value;
    const target = await findTarget(run, strike);
    if (!target) continue;
    await run.trouble("stops", async () => {
      target.child.kill("SIGSTOP");
      const end = performance.now() + strike.hold;
      while (performance.now() < end && run.isGoing) await Bun.sleep(20);
      target.child.kill("SIGCONT");
    });
  }
}

async function findTarget(run: Run, { wait, process, afterAsking }: Strike): Promise<Process | undefined> {
  await Bun.sleep(wait);
  let target = [...run.alive][process % run.alive.size];
  if (afterAsking !== null) {
    const findAsked = () => [...run.alive].find(({ isAsked }) => isAsked);
    target = findAsked();
    for (let looks = 0; !target && looks < mostLooks; looks++, target = findAsked()) await Bun.sleep(1);
    await Bun.sleep(afterAsking);
  }
  return run.isGoing && !run.areSpared ? target : undefined;
}
