import fc from "fast-check";
import type { Client } from "./run-history.ts";

type Drawn<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

export type Stream<T> = Iterator<T, never>;

const limit = between(1, 20);
const client = fc.constantFrom<Client[]>("desktop", "code");

// Most are short, and some are as long as they may be.
const bytes = fc.nat(999).map((drawn) => Math.floor(drawn / 5 + 63_800 * (drawn / 999) ** 25));
const shape = fc.constantFrom("plain", "lines", "frames", "unicode");
const project = fc.constantFrom(null, "api", "web");
const named = fc.constantFrom(null, null, "api", "API", "web");
const draft = fc.record({ bytes, shape, project: named, answers: fc.option(fc.nat(40), { freq: 3 }) });
/** A message to be sent, for a project, in answer to one that was sent so many before; most are still somewhere. */
export type Draft = Drawn<typeof draft>;

const drafts = fc.array(draft, { minLength: 1, maxLength: 5 });
const [never, answered] = [fc.constant(null), fc.constant("the answer" as const)];
const cancelAfter = fc.oneof(weighted(84, never), weighted(12, between(0, 6)), weighted(4, answered));
const how = fc.constantFrom("end of input", "SIGTERM", "SIGINT", "SIGHUP");
const serverAction = (clears: boolean) =>
  fc.oneof(
    weighted(450, kind("send", { drafts, cancelsOne: percent(8) })),
    weighted(460, kind("fetch", { limit, unreadOnly: percent(80), everyProject: percent(30), cancelAfter })),
    weighted(10, kind("leave", { how })),
    weighted(clears ? 2 : 0, kind("clear", {})),
  );
/** What a client asks of its server. */
export type ServerAction = Drawn<ReturnType<typeof serverAction>>;

const words = fc.constantFrom("", "", "", "all", "again", "status");
const flags = fc.subarray(["--json", "--all"]);
const commandAction = (clears: boolean) =>
  fc.oneof(
    weighted(40, kind("send", { draft, to: client, muted: percent(15), attached: percent(25) })),
    weighted(30, kind("get", { reader: client, limit, flags })),
    weighted(18, kind("typed", { words, project })),
    weighted(10, kind("status", {})),
    weighted(clears ? 1 : 0, kind("clear", {})),
  );
/** What is typed, on the command line or after /get. */
export type CommandAction = Drawn<ReturnType<typeof commandAction>>;

const statement = { client, limit, draft, pause: between(5, 150) };
const originalAction = (clears: boolean) =>
  fc.oneof(
    weighted(60, kind("send", statement)),
    weighted(38, kind("fetch", statement)),
    weighted(clears ? 1 : 0, kind("clear", statement)),
  );
/** What the original does, and how many milliseconds it rests then. */
export type OriginalAction = Drawn<ReturnType<typeof originalAction>>;

const faults = {
  file: ["disk full", "read-only", "locked", "removed", "renamed", "renamed back", "clock"],
  postgres: ["restarted", "connections cut", "clock"],
} as const;

/** What holds the messages. */
export type Kind = keyof typeof faults;
const jump = fc.constantFrom(1, 3, 6, 21, 600, 86_400, -1, -3, -6, -21, -600, -86_400);
const fault = (name: (typeof faults)[Kind][number]) =>
  kind(name, { wait: between(50, 1_500), hold: between(50, 1_800), jump });
/** A fault: how long after the last one it begins, how long it lasts, and by how many seconds a clock jumps. */
export type Fault = Drawn<ReturnType<typeof fault>>;

const strike = (wait: fc.Arbitrary<number>, hold: fc.Arbitrary<number>) =>
  fc.record({ wait, hold, process: fc.nat(999), afterAsking: fc.option(between(0, 8), { freq: 1 }) });
/** A kill or a stop of one process; or, so long `afterAsking`, of the next one that is asked for a page. */
export type Strike = Drawn<ReturnType<typeof strike>>;
const kill = strike(between(20, 500), fc.constant(0));
// a lease ends after 5 s
const hold = fc.oneof(weighted(7, between(0, 1_200)), weighted(3, between(5_200, 6_500)));
const stop = strike(between(300, 2_000), hold);

const outcome = fc.nat(9).map((drawn) => (["slow", "failed", "hang"] as const)[drawn] ?? "shown");

/** All that is planned for a round. Its streams have no end. */
export type Plan = ReturnType<typeof planRound>;

/** Plans a round, by the seed alone. The first has everything; others have a part, because each fault excuses something. */
export function planRound(seed: string, round: number, store: Kind = "file") {
  const stream = <T>(label: string, drawn: fc.Arbitrary<T>) => draw(`${seed} ${round} ${label}`, drawn);
  const has = (what: string, chance: number) => round === 0 || stream(what, percent(chance)).next().value;
  const kinds = [...faults[store]].filter((name) => has(name, 35));
  const order = fc.shuffledSubarray(kinds, { minLength: kinds.length });
  const clears = has("clears", 40);
  return {
    servers: (["desktop", "code/api", "desktop", "code/web", "code"] as const).map((name, n) => ({
      client: name.startsWith("code") ? ("code" as const) : ("desktop" as const),
      project: name.split("/")[1] ?? null,
      actions: stream(`server ${n}`, serverAction(clears)),
    })),
    commands: [1, 2, 3].map((n) => stream(`command ${n}`, commandAction(clears))),
    original: store === "file" && has("original", 50) ? stream("statements", originalAction(clears)) : null,
    kills: has("kills", 80) ? stream("killed", kill) : null,
    stops: has("stops", 45) ? stream("stopped", stop) : null,
    faults: stream(
      "faults",
      order.chain((names) => fc.tuple(...names.map(fault))),
    ).next().value,
    outcomes: stream("outcomes", outcome),
    lastOutcome: has("slow end", 30) ? ("slow" as const) : ("shown" as const),
  };
}

/** An endless stream, that no other one depends on. */
function* draw<T>(label: string, arbitrary: fc.Arbitrary<T>): Generator<T, never> {
  for (let seed = Number(Bun.hash.xxHash32(label)); ; seed++)
    yield* fc.sample(fc.noBias(arbitrary), { seed, numRuns: 100 });
}

function weighted<T>(weight: number, arbitrary: fc.Arbitrary<T>) {
  return { weight, arbitrary };
}

function kind<K extends string, T>(name: K, rest: { [P in keyof T]: fc.Arbitrary<T[P]> }) {
  return fc.record(rest).map((drawn) => ({ kind: name, ...drawn }));
}

function between(min: number, max: number) {
  return fc.integer({ min, max });
}

/** True in so many of a hundred cases. */
function percent(chance: number) {
  return fc.nat(99).map((drawn) => drawn < chance);
}
