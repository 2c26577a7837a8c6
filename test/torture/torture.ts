// Tries to break relay for as long as you like: npm run torture -- --minutes N [--rounds N] [--seed S] [--mutant NAMES]
// [--store postgres]
//
// In a round (round.ts), workers use relay as both Claudes and the person do, beside the original; strikes kill and stop
// their processes, and faults befall the file, the disk and the clock. What is asked and answered goes into a history.
// Once everything is read, checker.ts and leftovers.ts hold it against eight invariants (run.ts).
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { hasPython } from "../support/original-statements.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { asPerson } from "../support/rights.ts";
import { renderFigures, renderViolation } from "./figures.ts";
import { type Mutant, mutants, plant } from "./mutants.ts";
import { makePlace } from "./place.ts";
import { runRound } from "./round.ts";
import { kill, Run } from "./run.ts";
import { planRound } from "./workload.ts";

const roundMilliseconds = 12_000;
const mostViolations = 20; // there is enough to look at then

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    rounds: { type: "string", default: "Infinity" },
    seed: { type: "string", default: crypto.randomUUID().slice(0, 8) },
    mutant: { type: "string" },
    store: { type: "string", default: "file" },
  },
});
const [minutes, rounds] = [Number(values.minutes), Number(values.rounds)];
if (!(minutes > 0 && rounds > 0)) throw new Error("--minutes and --rounds take a number above 0.");
const planted = (values.mutant?.split(",") ?? []) as Mutant[];
if (!planted.every((name) => name in mutants)) throw new Error(`--mutant takes ${Object.keys(mutants).join(" or ")}.`);

const store = values.store === "postgres" ? "postgres" : "file";
const server = store === "postgres" ? await startPostgres({ max_connections: "300" }) : null;

const place = makePlace();
const run = new Run(place, server);
process.on("exit", () => {
  console.log(renderFigures(run));
  for (const process of run.alive) kill(process);
  place.remove();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
console.log(`seed ${values.seed}`);
const means = {
  "a disk that fills: no right to mount a tmpfs (unshare -Urm gives it)": place.hasDisk,
  "clock jumps: no libfaketime (Debian package faketime)": place.hasClock,
  "a file that is read-only: no setpriv, and root may write anything": asPerson,
  "that no process is left: no /proc": existsSync("/proc/self/environ"),
  "the original's statements: no python3": hasPython,
};
for (const [what, isThere] of Object.entries(means)) if (!isThere) console.log(`skipped: ${what}`);
for (const name of planted) void plant(run, name);

const end = performance.now() + minutes * 60_000;
for (; run.round < rounds && run.violations.length < mostViolations && performance.now() < end; run.round++) {
  const milliseconds = Math.min(roundMilliseconds, end - performance.now());
  const before = run.violations.length;
  await runRound(run, planRound(values.seed, run.round, store), milliseconds);
  for (const violation of run.violations.slice(before)) console.log(renderViolation(run, violation));
}
process.exit(run.violations.length > 0 ? 1 : 0);
