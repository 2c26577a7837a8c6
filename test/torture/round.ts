import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasPython } from "../support/original-statements.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { until } from "../support/sandbox.ts";
import { checkHistory } from "./checker.ts";
import { commandWorker, get, send } from "./command-worker.ts";
import { listen } from "./fake-notifier.ts";
import { causeFaults, killAll, stopAll } from "./faults.ts";
import { checkEnded, checkFiles, checkReadable } from "./leftovers.ts";
import { originalWorker } from "./original-worker.ts";
import { kill, type Run } from "./run.ts";
import { type Client, History } from "./run-history.ts";
import { Session, serverWorker } from "./server-worker.ts";
import type { Plan } from "./workload.ts";

// Each is ten times what is normal.
const hangMilliseconds = 120_000;
const noticeMilliseconds = 10_000;
const mostPages = 50;

// Two seconds after a notification, and every two seconds, a server looks for messages that have none.
const lookMilliseconds = 4_500;

// The lease of a page ends after 5 s, that of a notification after 20 s.
const leaseMilliseconds = 6_000;
const leaseSeconds = 25;

/** Lives through a round with all that was planned for it, then reads what is left, in calm, and checks everything. */
export async function runRound(run: Run, plan: Plan, milliseconds: number): Promise<void> {
  run.history = new History();
  if (run.server) run.place.env.RELAY_DB = await newDatabase(run.server);
  run.isGoing = true;
  const stop = listen(run, () => plan.outcomes.next().value);
  await live(run, plan, milliseconds);
  await checkEnded(run);
  checkFiles(run);
  stop();
  if (run.place.hasClock && !run.server) await run.jump(leaseSeconds);
  else await Bun.sleep(leaseMilliseconds);
  run.history.calm = performance.now();
  const stopInCalm = listen(run, () => plan.lastOutcome);
  await readAll(run, plan.lastOutcome === "slow" ? lookMilliseconds : 0);
  await checkEnded(run);
  stopInCalm();
  checkFiles(run);
  checkHistory(run);
  await checkReadable(run);
  run.count("rounds");
  for (const name of readdirSync(run.place.home)) rmSync(join(run.place.home, name), { recursive: true });
}

async function newDatabase(server: PostgresServer): Promise<string> {
  const { database, user } = await server.database();
  return `postgres://${user}@127.0.0.1:${server.port}/${database}`;
}

async function live(run: Run, plan: Plan, milliseconds: number): Promise<void> {
  const works = [
    ...plan.servers.map((server) => serverWorker(run, server)),
    ...plan.commands.map((actions) => commandWorker(run, actions)),
    plan.original && hasPython && originalWorker(run, plan.original),
    plan.kills && killAll(run, plan.kills),
    plan.stops && stopAll(run, plan.stops),
  ];
  await causeFaults(run, plan.faults, milliseconds);
  run.isGoing = false;
  const hang = setTimeout(() => {
    for (const process of run.alive) {
      run.violated("ended", `${process.name} hangs`);
      kill(process);
    }
  }, hangMilliseconds);
  await Promise.all(works);
  clearTimeout(hang);
}

/** Reads what is left in every file, and a last message, so long after its notification. */
async function readAll(run: Run, milliseconds: number): Promise<void> {
  const session = new Session(run, "desktop", null);
  await session.open();
  for (const cancelAfter of ["the answer", null, null] as const)
    await session.fetch({ kind: "fetch", limit: 20, unreadOnly: true, everyProject: false, cancelAfter });
  for (const reader of ["desktop", "code"] as const) {
    await drain(run, reader);
    for (const [file, path] of run.history.away) await drain(run, reader, file, path);
  }
  const draft = { bytes: 10, shape: "plain", project: null, answers: null } as const;
  const { token } = await send(run, { kind: "send", draft, to: "desktop", muted: false, attached: true });
  const isHeard = () => run.history.notifications.some((notification) => notification.token === token);
  await until("it is notified", isHeard, noticeMilliseconds).catch(() => {}); // the checker tells
  await Bun.sleep(milliseconds);
  await session.leave("end of input");
  await drain(run, "desktop");
}

async function drain(run: Run, reader: Client, file?: number, path?: string): Promise<void> {
  for (let pages = 0, empty = 0; empty < 2 && pages < mostPages; pages++) {
    const page = await get(run, { kind: "get", reader, limit: 20, flags: ["--json"] }, file, path);
    empty = page && page.shown.length + page.dropped.length === 0 ? empty + 1 : 0;
  }
}
