import type { Client } from "../../src/core/client.ts";
import { type Random, random } from "./random.ts";

/** What goes wrong by itself in a round: its faults, one after the other, besides kills and stops. */
const faultKinds = [
  "fill the disk",
  "read-only",
  "remove",
  "rename away",
  "rename and back",
  "slow reader",
  "clock",
] as const;

type FaultKind = (typeof faultKinds)[number];

/** A message to be sent: its size and shape, decided before its text is. */
export interface Draft {
  size: number;
  shape: "plain" | "lines" | "frames" | "unicode";
}

/** What one client does next with its server. */
export type ServerAction =
  | { kind: "send"; drafts: Draft[]; cancel: number | null }
  | { kind: "fetch"; limit: number; unreadOnly: boolean; cancelAfter: number | "answer" | null }
  | { kind: "prompt" }
  | { kind: "clear" }
  | { kind: "pause"; milliseconds: number }
  | { kind: "leave"; how: "end of input" | "SIGTERM" | "SIGINT" | "SIGHUP" };

/** What is typed next on the command line, or after /get. */
export type CommandAction =
  | { kind: "send"; draft: Draft; to: Client; muted: boolean; piped: boolean }
  | { kind: "get"; reader: Client; limit: number; flags: string[] }
  | { kind: "clear" | "status" | "statusline" }
  | { kind: "typed"; words: "" | "again" | "status" | "clear" | "words" };

/** What the original does next. */
export type OriginalAction =
  | { kind: "send"; sender: Client; draft: Draft }
  | { kind: "fetch"; reader: Client; limit: number }
  | { kind: "clear" };

/** A fault, how long after the last one it begins, and how long it holds; times in milliseconds. */
export interface Fault {
  kind: FaultKind;
  wait: number;
  hold: number;
  /** By how much the clock jumps, in seconds. */
  jump: number;
}

/** Whom a signal hits, and when; times in milliseconds. `lane` is taken modulo the number of lanes. */
export interface Strike {
  wait: number;
  lane: number;
  hold: number;
  /** So long after a process asked for a page, whichever does so next; null: at whatever it does. */
  afterAsking: number | null;
}

/** How a notifier ends: `"hang"` is until relay loses patience. */
export type NotifierOutcome = "shown" | "failed" | "hang" | "slow";

/** One round: every stream is endless, and decided by the seed alone. */
export interface Round {
  number: number;
  /** Which kinds of faults it has, and whether processes are killed, stopped, and joined by the original. */
  weather: { faults: FaultKind[]; kills: boolean; stops: boolean; original: boolean };
  /** What is left at its end is announced by a notifier that takes its time. */
  endsSlowly: boolean;
  server(lane: number): Iterator<ServerAction, never>;
  command(lane: number): Iterator<CommandAction, never>;
  original(): Iterator<OriginalAction, never>;
  faults(): Iterator<Fault, never>;
  kills(): Iterator<Strike, never>;
  stops(): Iterator<Strike, never>;
  notifier(): Iterator<NotifierOutcome, never>;
}

/** The plan of a round. The first one has everything, the others perhaps a part of it, so that rules for calm times bite. */
export function planRound(seed: string, number: number): Round {
  const draw = random(seed, number, "weather");
  const all = number === 0;
  const faults = faultKinds.filter(() => draw.percent(35) || all);
  const stream = (...labels: (string | number)[]) => random(seed, number, ...labels);
  return {
    number,
    weather: {
      faults,
      kills: draw.percent(80) || all,
      stops: draw.percent(45) || all,
      original: draw.percent(50) || all,
    },
    endsSlowly: draw.percent(30) || all,
    server: (lane) => endless(stream("server", lane), serverAction),
    command: (lane) => endless(stream("command", lane), commandAction),
    original: () => endless(stream("original"), originalAction),
    faults: () => faultStream(stream("faults"), faults),
    kills: () => endless(stream("kills"), (draw) => strike(draw, [20, 500], [0, 0])),
    // a claim stands for 5 s
    stops: () =>
      endless(stream("stops"), (draw) =>
        strike(draw, [300, 2_000], draw.percent(30) ? [5_200, 6_500] : [0, 1_200]),
      ),
    notifier: () =>
      endless(stream("notifier"), (draw) => draw.weighted({ shown: 79, failed: 8, hang: 3, slow: 10 })),
  };
}

function* endless<T>(draw: Random, next: (draw: Random) => T): Generator<T, never> {
  for (;;) yield next(draw);
}

function strike(draw: Random, wait: [number, number], hold: [number, number]): Strike {
  return {
    wait: draw.between(...wait),
    lane: draw.between(0, 999),
    hold: draw.between(...hold),
    afterAsking: draw.percent(50) ? draw.between(0, 8) : null,
  };
}

/** Each kind once, in any order, and then any. */
function* faultStream(draw: Random, kinds: readonly FaultKind[]): Generator<Fault, never> {
  const first = [...kinds].sort(() => draw.next() - 0.5);
  for (;;) {
    const kind = first.pop() ?? draw.pick(kinds as [FaultKind]);
    const jump = draw.pick([1, 3, 6, 21, 600, 86_400]) * (draw.percent(50) ? 1 : -1);
    yield { kind, wait: draw.between(50, 900), hold: draw.between(50, 1_800), jump };
  }
}

function draft(draw: Random): Draft {
  const size = draw.weighted({ short: 80, page: 15, long: 5 });
  return {
    size: { short: draw.between(0, 200), page: draw.between(200, 5_000), long: draw.between(5_000, 64_000) }[
      size
    ],
    shape: draw.pick(["plain", "lines", "frames", "unicode"]),
  };
}

function serverAction(draw: Random): ServerAction {
  const kind = draw.weighted({ send: 45, fetch: 42, prompt: 4, clear: 0.4, pause: 7, leave: 1 });
  switch (kind) {
    case "send": {
      const drafts = Array.from({ length: draw.between(1, 5) }, () => draft(draw));
      return { kind, drafts, cancel: draw.percent(8) ? draw.between(0, drafts.length - 1) : null };
    }
    case "fetch":
      return {
        kind,
        limit: draw.between(1, 20),
        unreadOnly: draw.percent(80),
        cancelAfter: draw.percent(12) ? draw.between(0, 6) : draw.percent(4) ? "answer" : null,
      };
    case "pause":
      return { kind, milliseconds: draw.between(0, 40) };
    case "leave":
      return { kind, how: draw.pick(["end of input", "SIGTERM", "SIGINT", "SIGHUP"]) };
    default:
      return { kind };
  }
}

function commandAction(draw: Random): CommandAction {
  const kind = draw.weighted({ send: 40, get: 30, typed: 18, status: 7, statusline: 4, clear: 1 });
  const client = draw.pick<Client>(["desktop", "code"]);
  switch (kind) {
    case "send":
      return { kind, draft: draft(draw), to: client, muted: draw.percent(15), piped: draw.percent(50) };
    case "get":
      return {
        kind,
        reader: client,
        limit: draw.between(1, 20),
        flags: ["--json", "--all", "--peek"].filter((_, n) => draw.percent([60, 15, 10][n] ?? 0)),
      };
    case "typed":
      return { kind, words: draw.weighted({ "": 60, again: 15, status: 10, words: 13, clear: 2 }) };
    default:
      return { kind };
  }
}

function originalAction(draw: Random): OriginalAction {
  const kind = draw.weighted({ send: 60, fetch: 38, clear: 2 });
  const client = draw.pick<Client>(["desktop", "code"]);
  if (kind === "send") return { kind, sender: client, draft: draft(draw) };
  return kind === "fetch" ? { kind, reader: client, limit: draw.between(1, 20) } : { kind };
}
