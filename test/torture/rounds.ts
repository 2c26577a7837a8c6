import type { Client } from "../../src/core/client.ts";
import { createChaos } from "./chaos.ts";
import { commandLane } from "./command-lane.ts";
import { createHistory } from "./history.ts";
import { gather } from "./judge/evidence.ts";
import { judgeIntegrity, judgeRemains } from "./judge/remains.ts";
import { judgeAll } from "./judges.ts";
import { type Listener, listen } from "./notifier.ts";
import { originalLane } from "./original-lane.ts";
import { type NotifierOutcome, planRound, type Round } from "./plan.ts";
import { random } from "./random.ts";
import { renderViolation } from "./report.ts";
import { serverLane } from "./server-lane.ts";
import { announceRest, beginAnew, drain, endAll, processes, type Row, rowsOf } from "./settle.ts";
import type { Lane, World } from "./world.ts";

const roundMilliseconds = 12_000;

// The judges take what happens so soon after the clock jumped for its doing.
const jumpMilliseconds = 1_200;

const atOnce: NotifierOutcome[] = [];
const slowly: NotifierOutcome[] = ["slow", "slow"];

// Some minutes of silence make nobody nervous.
const roundsUntold = 20;

// After so many violations there is enough to look at.
const mostViolations = 20;

const servers: readonly Client[] = ["desktop", "code", "desktop", "code", "code"];
const commands = 3;

/** Runs rounds until the time is over, and judges each. */
export async function runRounds(
  world: World,
  seed: string,
  milliseconds: number,
  hasPython: boolean,
  tell: (text: string) => void,
): Promise<void> {
  let told = 0;
  const known = new Set(processes());
  const end = world.now() + milliseconds;
  const listener = listen(world);
  const calm: Lane[] = servers.map((client) => ({ name: `${client}, in peace`, current: null }));
  for (let number = 0; world.now() < end && world.violations.length < mostViolations; number++) {
    world.round = number;
    const length = Math.min(roundMilliseconds, Math.max(4_000, end - world.now()));
    const round = planRound(seed, number);
    await live(world, seed, round, listener, length, hasPython);
    listener.outcomes = (round.endsSlowly ? slowly : atOnce)[Symbol.iterator]();
    await endAll(world, known);
    world.history.peace = world.now();
    await settle(world, calm, round.endsSlowly);
    await endAll(world, known);
    world.count("rounds");
    for (const violation of world.violations.slice(told)) tell(renderViolation(violation));
    told = world.violations.length;
    if (number % roundsUntold === roundsUntold - 1) tell(`${number + 1} rounds, ${told} violations`);
  }
  listener.stop();
}

/** Ends a round: everything is announced, read, looked at and judged, and the next one begins with an empty buffer. */
async function settle(world: World, calm: Lane[], slow: boolean): Promise<void> {
  const [lane] = calm as [Lane];
  for (const { path } of kept(world)) judgeIntegrity(world, path);
  // every lease and every claim is over then, or at least every claim
  if (world.place.hasClock) world.jump(25);
  else await Bun.sleep(6_000);
  await Bun.sleep(jumpMilliseconds);
  const rows = await announceRest(world, calm, slow);
  await drain(world, lane);
  judgeRemains(world);
  judge(world, rows);
  const file = world.history.eras.at(-1)?.file ?? 0;
  world.history = createHistory(file, await beginAnew(world, lane));
}

async function live(
  world: World,
  seed: string,
  round: Round,
  listener: Listener,
  milliseconds: number,
  hasPython: boolean,
): Promise<void> {
  const { weather } = round;
  world.running = true;
  listener.outcomes = round.notifier();
  const lanes = {
    servers: servers.map((client, index): Lane => ({ name: `${client} ${index}`, current: null })),
    commands: Array.from(
      { length: commands },
      (_, index): Lane => ({ name: `typist ${index}`, current: null }),
    ),
  };
  world.lanes = [...lanes.servers, ...lanes.commands];
  const chaos = createChaos(world);
  const pause = random(seed, round.number, "pauses");
  const works = [
    ...lanes.servers.map((lane, index) =>
      serverLane(world, lane, servers[index] as Client, round.server(index)),
    ),
    ...lanes.commands.map((lane, index) => commandLane(world, lane, round.command(index))),
    ...(weather.original && hasPython
      ? [originalLane(world, round.original(), () => pause.between(5, 150))]
      : []),
    ...(weather.kills ? [chaos.kills(round.kills())] : []),
    ...(weather.stops ? [chaos.stops(round.stops())] : []),
    ...(weather.faults.length > 0 ? [chaos.faults(round.faults(), weather.faults.length)] : []),
  ];
  await Promise.all([Bun.sleep(milliseconds), weather.faults.length > 0 && chaos.enough]);
  world.running = false;
  await Promise.all(works);
}

function kept({ history }: World): { file: number; path: string }[] {
  return [...history.kept].map(([file, path]) => ({ file, path }));
}

function judge(world: World, rows: Row[]): void {
  const keptRows = new Map<number, Row[] | null>();
  for (const { file, path } of kept(world)) {
    try {
      keptRows.set(file, rowsOf(path));
    } catch {
      keptRows.set(file, null); // it was empty, or there was none
    }
  }
  judgeAll(gather(world, rows, keptRows));
}
