import type { Subprocess } from "bun";
import { asPerson } from "../support/rights.ts";
import { relayBinary } from "../support/sandbox.ts";
import { type Actor, createHistory, type History, type Trouble } from "./history.ts";
import { judgeErrors, judgeSignal } from "./judge/processes.ts";
import { textOf } from "./messages.ts";
import { type Place, tidyClock } from "./place.ts";
import type { Draft } from "./plan.ts";

/** Ten times what a stopped process, a locked file and a queue of requests may take together. */
export const mostMilliseconds = 120_000;

/** Something that must not be. */
export interface Violation {
  rule: string;
  what: string;
  /** What happened to the things concerned, in order. */
  trace: unknown[];
}

/** How a process is started. */
export interface StartOptions {
  env?: Record<string, string>;
  stdin?: string;
}

type Child = Subprocess<"pipe", "pipe", "pipe">;

/** A process of relay's under the run's eyes. */
export interface Started {
  actor: Actor;
  child: Child;
  /** Everything it wrote to standard error. */
  errors: Promise<string>;
}

/** Whose process it is. A strike hits whichever process a lane has at that moment. */
export interface Lane {
  name: string;
  current: Started | null;
}

/** Everything the parts of a run share. */
export interface World {
  place: Place;
  history: History;
  round: number;
  /** False once the round's time is up. */
  running: boolean;
  lanes: Lane[];
  violations: Violation[];
  /** How often each thing happened. */
  figures: Map<string, number>;
  count(what: string, times?: number): void;
  violated(rule: string, what: string, ...trace: unknown[]): void;
  now(): number;
  /** Makes up the next message. */
  compose(draft: Draft): { token: string; text: string };
  start(lane: Lane, name: string, args: string[], options?: StartOptions): Started;
  /** Notes that something is wrong from now on; call the answer when it is over. */
  trouble(kind: Trouble["kind"], what: string): () => void;
  /** Makes everybody's clock jump by so many seconds, if there is a clock of our own. */
  jump(seconds: number): void;
  /** The processes that are asked for a page right now. */
  asking: Set<Started>;
  /** The processes that run. */
  alive: Set<Started>;
}

/** A world at the beginning of its first round. */
export function createWorld(place: Place): World {
  let texts = 0;
  let offset = 0;
  const world: World = {
    place,
    history: createHistory(0, 0),
    round: 0,
    running: true,
    lanes: [],
    violations: [],
    figures: new Map(),
    alive: new Set(),
    asking: new Set(),
    count(what, times = 1) {
      world.figures.set(what, (world.figures.get(what) ?? 0) + times);
    },
    violated(rule, what, ...trace) {
      world.violations.push({ rule, what: `round ${world.round}: ${what}`, trace });
    },
    now: () => performance.now(),
    compose(draft) {
      texts += 1;
      const text = textOf(draft, world.round, texts);
      return { token: `t${world.round}-${texts}.`, text };
    },
    start: (lane, name, args, options) => start(world, lane, name, args, options),
    jump(seconds) {
      if (!place.hasClock) return;
      const over = world.trouble("clock", `${seconds} s`);
      offset += seconds;
      place.setClock(offset);
      over();
    },
    trouble(kind, what) {
      const trouble: Trouble = { kind, what, from: world.now(), to: Number.POSITIVE_INFINITY };
      world.history.troubles.push(trouble);
      return () => {
        trouble.to = world.now();
      };
    },
  };
  return world;
}

function start(world: World, lane: Lane, name: string, args: string[], options: StartOptions = {}): Started {
  const child = Bun.spawn([...(asPerson ?? []), relayBinary, ...args], {
    env: { ...world.place.env, ...options.env },
    cwd: world.place.folder,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const never = Number.POSITIVE_INFINITY;
  const actor: Actor = { name, pid: child.pid, killed: never, asked: never, died: never, stops: [] };
  const errors = new Response(child.stderr).text().then((text) => {
    judgeErrors(world, actor, text);
    return text;
  });
  const started: Started = { actor, child, errors };
  world.alive.add(started);
  world.history.actors.push(actor);
  lane.current = started;
  void child.exited.then(() => {
    actor.died = world.now();
    world.alive.delete(started);
    world.asking.delete(started);
    if (lane.current === started) lane.current = null;
    tidyClock(child.pid);
    judgeSignal(world, actor, child);
  });
  if (options.stdin !== undefined) {
    child.stdin.write(options.stdin);
    void Promise.resolve(child.stdin.end()).catch(() => {}); // it was killed
  }
  return started;
}

/** Kills a process, at whatever it does. */
export function kill(world: World, { actor, child }: Started): void {
  if (Number.isFinite(actor.died) || child.exitCode !== null) return;
  actor.killed = Math.min(actor.killed, world.now());
  child.kill("SIGKILL");
}
