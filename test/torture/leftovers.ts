import { Database } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import { until } from "../support/sandbox.ts";
import { isInFile } from "./checker.ts";
import type { Run } from "./run.ts";
import type { History } from "./run-history.ts";

/** Checks invariant 5 on the file at the path, and on those that were renamed. */
export function checkFiles(run: Run): void {
  for (const path of [run.place.buffer, ...run.history.away.values()].filter(existsSync)) {
    const mode = (statSync(path).mode & 0o777).toString(8);
    using db = new Database(path);
    const found = db.query("PRAGMA integrity_check").values().flat().join("; ");
    if (mode !== "600" || found !== "ok") run.violated("file", `${path} has mode ${mode}; ${found}`);
  }
}

/** Checks of invariant 1 that an acknowledged message is stored as it was sent, unless a clear may have deleted it. */
export function checkReadable(run: Run): void {
  const { history, place } = run;
  const paths = [...history.away, [history.generations.at(-1)?.file ?? 0, place.buffer] as const];
  const stored = new Map(paths.map(([file, path]) => [file, readMessages(history, path)]));
  const clears = history.clears.filter(({ process, refused }) => process && refused === null);
  const tokens: string[] = [];
  for (const send of history.sends) {
    const { id, token, text, project, replyTo } = send;
    const files = history.filesOf(send);
    const isCleared = clears.some((clear) => clear.to >= send.from && isInFile(history, clear, send));
    if (id === null || isCleared || files.some((file) => history.removed.has(file))) continue;
    run.count("messages to be readable");
    const row = JSON.stringify([id, text, project, replyTo]);
    if (!files.some((file) => stored.get(file)?.(id, row))) tokens.push(token);
  }
  if (tokens.length > 0) run.violated("kept", `${tokens.length} are in no window or history`, tokens);
}

/** Tells what a file holds. Of a full history the oldest messages had to go; if the clock jumped, any. */
function readMessages({ troubles }: History, path: string): (id: number, row: string) => boolean {
  if (!existsSync(path)) return () => false;
  using db = new Database(path);
  const read = (table: string) => db.query(`SELECT id, message, project, reply_to FROM ${table}`).values();
  const left = read("relay_history");
  const rows = new Set([...read("messages"), ...left].map((row) => JSON.stringify(row)));
  const newest = Math.max(0, ...left.map(([id]) => Number(id)));
  const isJumping = troubles.some(({ what }) => what === "clock jumps");
  const isGone = (id: number) => left.length >= 1_000 && (isJumping || id < newest - 900);
  return (id, row) => rows.has(row) || isGone(id);
}

/** Checks invariant 7, once every worker is done: nothing runs that was started in this place, by whatever process. */
export async function checkEnded(run: Run): Promise<void> {
  const found = `$(grep -lsxz 'HOME=${run.place.home}' /proc/[0-9]*/environ)`;
  const script = `for path in ${found}; do tr '\\0' ' ' < "\${path%environ}cmdline"; echo; done`;
  const left = () => Bun.spawnSync(["sh", "-c", script]).stdout.toString().match(/.+/g) ?? [];
  await until("none is left", () => left().length === 0, 30_000).catch(() => {});
  for (const process of left()) run.violated("ended", process);
}
