import { Database } from "bun:sqlite";
import { existsSync, readdirSync, statSync } from "node:fs";
import { announcementTries, windowSize } from "../../../src/core/limits.ts";
import type { Send } from "../history.ts";
import type { Row } from "../settle.ts";
import type { World } from "../world.ts";

/** What the folder and the file in it must look like once everything was read. */
export function judgeRemains(world: World): void {
  const { buffer, home } = world.place;
  const strange = readdirSync(home).filter((name) => !/^(\.relay_buffer\.db(-journal)?|away-.*)$/.test(name));
  if (strange.length > 0) world.violated("no file is left", strange.join(", "));
  if (!existsSync(buffer)) return;
  judgeIntegrity(world, buffer);
  world.count("integrity checks");
  const mode = statSync(buffer).mode & 0o777;
  if (mode !== 0o600) world.violated("the file is the person's alone", `its mode is ${mode.toString(8)}`);
  judgeLeftOver(world, buffer);
}

/** SQLite finds nothing wrong with the file, if there is one. */
export function judgeIntegrity(world: World, path: string): void {
  const found = existsSync(path) ? integrity(path) : "ok";
  if (found !== "ok") world.violated("PRAGMA integrity_check is ok", `${path}: ${found}`);
}

function integrity(path: string): string {
  try {
    using db = new Database(path);
    db.run("PRAGMA busy_timeout = 5000");
    const rows = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
    return rows.map((row) => row.integrity_check).join("; ");
  } catch (error) {
    return String(error);
  }
}

function judgeLeftOver(world: World, buffer: string): void {
  using db = new Database(buffer, { readonly: true });
  // whoever makes the file may be killed before there is a table in it
  if (!db.query("SELECT 1 FROM sqlite_schema WHERE name = 'relay_losses'").get()) return;
  const counts = db
    .query<Record<string, number>, []>(
      `SELECT (SELECT count(*) FROM messages) > ${windowSize} AS "too many messages",
       (SELECT count(*) FROM messages WHERE (sender = 'desktop' AND read_by_code_at IS NULL)
         OR (sender = 'code' AND read_by_desktop_at IS NULL)) AS "unread messages",
       (SELECT count(*) FROM relay_losses WHERE audience IN ('desktop', 'code')) AS "untold losses"`,
    )
    .get();
  for (const [what, count] of Object.entries(counts ?? {}))
    if (count) world.violated("nothing is left over", `${what}: ${count}`);
}

/** Nobody runs on who had time to end. */
export function judgeEnded(world: World, running: string[]): void {
  if (running.length > 0) world.violated("no process is left", running.join(", "));
}

/** What running servers have yet to announce. */
export function unannounced(rows: Row[]): Row[] {
  return rows.filter((row) => !row.read && !row.notified_at && row.notify_tries < announcementTries);
}

/** Servers that had time for it have announced what was left. */
export function judgeAnnounced(world: World, rows: Row[]): void {
  const left = unannounced(rows);
  if (left.length > 0) world.violated("each message is announced", `${left.length} never were`, left);
}

/** In peace, whoever sends announces at once. */
export function judgeAtOnce(world: World, sent: Send, heard: boolean): void {
  if (!heard) world.violated("each message is announced at once", `${sent.token} was not`, sent);
}
