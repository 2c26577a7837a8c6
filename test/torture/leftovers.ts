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
export async function checkReadable(run: Run): Promise<void> {
  const { history, place } = run;
  const paths = [...history.away, [history.generations.at(-1)?.file ?? 0, place.buffer] as const];
  const contents = run.server
    ? [[0, await readDatabase(run)] as const]
    : paths.map(([file, path]) => [file, readFile(path)] as const);
  const stored = new Map(contents.map(([file, content]) => [file, holds(history, content)]));
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

/** The messages of the window, and those that left it. */
type Content = Record<"there" | "left", unknown[][]>;

function readFile(path: string): Content {
  if (!existsSync(path)) return { there: [], left: [] };
  using db = new Database(path);
  const read = (table: string) => db.query(`SELECT id, message, project, reply_to FROM ${table}`).values();
  return { there: read("messages"), left: read("relay_history") };
}

async function readDatabase({ server, place }: Run): Promise<Content> {
  const name = place.env.RELAY_DB?.split("/").at(-1);
  const read = async (which: string) => {
    const rows = await server?.query(`SELECT * FROM relay.messages WHERE left_at IS ${which}`, name);
    const numberOf = (id: unknown) => (id === null ? null : Number(id));
    return (rows ?? []).map((row) => [Number(row.id), row.message, row.project, numberOf(row.reply_to)]);
  };
  return { there: await read("NULL"), left: await read("NOT NULL") };
}

/** Tells what is held. Of a full history the oldest messages had to go; if the clock jumped, any. */
function holds({ troubles }: History, { there, left }: Content): (id: number, row: string) => boolean {
  const rows = new Set([...there, ...left].map((row) => JSON.stringify(row)));
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
