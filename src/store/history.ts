import type { Database } from "bun:sqlite";
import { timestamp } from "../core/clock.ts";
import type { Lease } from "../core/leased-page.ts";
import { historyBytes, historyMessages } from "../core/limits.ts";
import type { LoggedMessage, LogQuery } from "../core/store.ts";
import { amongIds, listedFiles, messageColumns, type RowWithFiles, readColumn, typedIn, withFiles } from "./columns.ts";
import { type ShownProject, withSafeProject } from "./projects.ts";

const day = 86_400;

/** Makes the history. A text stands last in its row, so that what reads the rest of rows reads none of the texts. */
export function createHistory(db: Database): void {
  db.run(`CREATE TABLE IF NOT EXISTS relay_history (
    id INTEGER PRIMARY KEY,
    left_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sender TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    read_by_desktop_at TEXT,
    read_by_code_at TEXT,
    typed_in TEXT,
    project TEXT,
    reply_to INTEGER,
    message TEXT NOT NULL
  )`);
  db.run("CREATE INDEX IF NOT EXISTS relay_history_age ON relay_history (left_at, id, bytes)");
}

/** Makes the trigger that moves into the history what leaves the window. */
export function keepHistory(db: Database): void {
  db.run("DROP TRIGGER IF EXISTS relay_keep_history");
  db.run(`CREATE TRIGGER relay_keep_history AFTER DELETE ON messages
    BEGIN
      INSERT OR REPLACE INTO relay_history (${messageColumns}, left_at, bytes)
        VALUES (${messageColumns.replaceAll(/\w+/g, "OLD.$&")}, CAST(strftime('%s', 'now') AS INTEGER),
          length(CAST(OLD.message AS BLOB)));
    END`);
}

/** SQL for the messages of window and history. */
export const everywhere = `(SELECT ${messageColumns}, redelivered, leased_at, NULL AS left_at FROM messages
  UNION ALL SELECT ${messageColumns}, 0, NULL, left_at FROM relay_history)`;

/** Removes what is older than so many days, and the oldest messages beyond the limits. 0 days keep nothing. */
export function trim(db: Database, days: number, now: number): void {
  const cutoff = days === 0 ? Number.MAX_SAFE_INTEGER : Math.floor(now / 1_000) - days * day;
  db.query("DELETE FROM relay_history WHERE left_at <= $cutoff").run({ cutoff });
  const { n, bytes } = sizeOf(db);
  if (n > historyMessages)
    db.query(
      "DELETE FROM relay_history WHERE id IN (SELECT id FROM relay_history ORDER BY left_at, id LIMIT $excess)",
    ).run({ excess: n - historyMessages });
  if (bytes > historyBytes)
    db.query(
      `DELETE FROM relay_history WHERE id IN (
         SELECT id FROM (
           SELECT id, sum(bytes) OVER (ORDER BY left_at DESC, id DESC ROWS UNBOUNDED PRECEDING) AS total
           FROM relay_history)
         WHERE total > $bytes)`,
    ).run({ bytes: historyBytes });
}

/** The number of messages in the history, and the bytes of their texts. The index holds both. */
export function sizeOf(db: Database): { n: number; bytes: number } {
  const found = db
    .query<{ n: number; bytes: number | null }, []>("SELECT count(*) AS n, sum(bytes) AS bytes FROM relay_history")
    .get();
  return { n: found?.n ?? 0, bytes: found?.bytes ?? 0 };
}

/** Empties the history, and answers the number of its messages but the `cleared` ones, which a trigger has just put there. */
export function deleteHistory(db: Database, cleared: number): number {
  const { changes } = db.query("DELETE FROM relay_history").run();
  return changes - cleared;
}

/** Marks messages of an acked page as read that left the window while the page was in flight, and answers their number. */
export function ackEvicted(db: Database, { reader, unread }: Lease, readAt: string): number {
  const column = readColumn(reader);
  const statement = db.query(`UPDATE relay_history SET ${column} = $readAt WHERE ${amongIds} AND ${column} IS NULL`);
  return statement.run({ readAt, ids: JSON.stringify(unread) }).changes;
}

type Row = Omit<LoggedMessage, "left" | "files"> & RowWithFiles & { left_at: number | null };

/** The newest messages that match, in time order. A text is found by SQLite's LIKE: ASCII letters match in any case. */
export function readLog(db: Database, { limit, from, project, search, since }: LogQuery): LoggedMessage[] {
  const rows = db.query<Row, Record<string, string | number | null>>(
    `SELECT id, sender, CAST(message AS TEXT) AS message, CAST(timestamp AS TEXT) AS timestamp, read_by_desktop_at,
       read_by_code_at, ${typedIn} AS typed_in, project, reply_to, left_at, ${listedFiles} AS files
     FROM ${everywhere} AS found WHERE id IN (
       SELECT id FROM ${everywhere}
       WHERE sender IN ('desktop', 'code') AND ($from IS NULL OR sender = $from)
         AND ($project IS NULL OR project = $project COLLATE NOCASE)
         AND ($since IS NULL OR julianday(timestamp) >= julianday($since))
         ${search === undefined ? "" : "AND message LIKE $pattern ESCAPE '\\'"}
       ORDER BY id DESC LIMIT $limit)
     ORDER BY id`,
  );
  return rows
    .all({
      limit,
      from: from ?? null,
      project: project ?? null,
      since: since === undefined ? null : timestamp(since),
      ...(search !== undefined && { pattern: `%${search.replace(/[\\%_]/g, "\\$&")}%` }),
    })
    .map(({ left_at, ...row }: Row & ShownProject) => ({ ...withFiles(withSafeProject(row)), left: left_at !== null }));
}
