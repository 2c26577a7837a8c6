import type { Database } from "bun:sqlite";
import { type Client, otherClient } from "../core/client.ts";
import { claimMilliseconds, windowSize } from "../core/limits.ts";
import type { Counts } from "../core/store.ts";

const unread =
  "((sender = 'desktop' AND read_by_code_at IS NULL) OR (sender = 'code' AND read_by_desktop_at IS NULL))";

/** SQL for a claim that somebody may still confirm. One stamped in the future was stamped before the clock was set back. */
export const claimStands = `(claimed_at IS NOT NULL AND claimed_at > $now - ${claimMilliseconds} AND claimed_at <= $now)`;

/** The column that says when this client read a message. */
export function readColumn(reader: Client): string {
  return reader === "desktop" ? "read_by_desktop_at" : "read_by_code_at";
}

/** Stores a message and answers its id. */
export function insert(db: Database, entry: { sender: Client; message: string; timestamp: string }): number {
  db.query("INSERT INTO messages (sender, message, timestamp) VALUES ($sender, $message, $timestamp)").run(
    entry,
  );
  return db.query<{ id: number }, []>("SELECT last_insert_rowid() AS id").get()?.id ?? 0;
}

/** Shrinks the buffer to its window, sparing `newest`: the oldest read message goes first, the oldest unread one last. */
export function evict(db: Database, newest: number): { id: number; unread: number }[] {
  const excess = countTotal(db) - windowSize;
  if (excess <= 0) return [];
  const victims = db
    .query<{ id: number; unread: number }, { newest: number; excess: number }>(
      `SELECT id, ${unread} AS unread FROM messages WHERE id <> $newest ORDER BY unread, id LIMIT $excess`,
    )
    .all({ newest, excess })
    .sort((a, b) => a.id - b.id);
  db.query(`DELETE FROM messages WHERE ${among("id")}`).run({
    ids: JSON.stringify(victims.map((row) => row.id)),
  });
  return victims;
}

/** Deletes everything. Answers how much there was, and how much of it nobody had read. */
export function deleteAll(db: Database): { deleted: number; deleted_unread: number } {
  const waiting = countUnread(db);
  const counted = { deleted: countTotal(db), deleted_unread: waiting.desktop + waiting.code };
  db.run("DELETE FROM messages");
  return counted;
}

/** Puts a claim on messages. Those that an expired claim held are labelled as perhaps shown from now on. */
export function claim(db: Database, claim: string, ids: readonly number[], now: number): void {
  db.query(
    `UPDATE messages SET claim = $claim, claimed_at = $now, maybe_shown = maybe_shown OR claimed_at IS NOT NULL
     WHERE ${among("id")}`,
  ).run({ claim, now, ids: JSON.stringify(ids) });
}

/** Whether any of the messages is no longer this claim's, though it is still there. */
export function takenFrom(db: Database, claim: string, ids: readonly number[]): boolean {
  const taken = db
    .query<{ n: number }, { claim: string; ids: string }>(
      `SELECT count(*) AS n FROM messages WHERE ${among("id")} AND claim IS NOT $claim`,
    )
    .get({ claim, ids: JSON.stringify(ids) });
  return (taken?.n ?? 0) > 0;
}

/** Starts the claim's time anew. */
export function renew(db: Database, claim: string, now: number): void {
  db.query("UPDATE messages SET claimed_at = $now WHERE claim = $claim").run({ claim, now });
}

/** Marks what the claim holds as read. */
export function deliver(db: Database, claim: string, reader: Client, readAt: string): void {
  db.query(
    `UPDATE messages SET ${readColumn(reader)} = $readAt, claim = NULL, claimed_at = NULL, maybe_shown = 0
     WHERE claim = $claim`,
  ).run({ claim, readAt });
}

/** Lifts the claim. */
export function withdraw(db: Database, claim: string, maybeShown: boolean): void {
  db.query(
    `UPDATE messages SET claim = NULL, claimed_at = NULL, maybe_shown = maybe_shown OR $maybeShown WHERE claim = $claim`,
  ).run({ claim, maybeShown: Number(maybeShown) });
}

/** Makes messages unread again that the reader read at exactly this moment. */
export function reopen(db: Database, reader: Client, ids: readonly number[], readAt: string): void {
  const column = readColumn(reader);
  db.query(
    `UPDATE messages SET ${column} = NULL, maybe_shown = 1 WHERE ${among("id")} AND ${column} = $readAt`,
  ).run({
    ids: JSON.stringify(ids),
    readAt,
  });
}

/** How many messages wait for each client. */
export function countUnread(db: Database): Record<Client, number> {
  const counts = { desktop: 0, code: 0 };
  const rows = db
    .query<{ sender: Client; n: number }, []>(
      `SELECT sender, count(*) AS n FROM messages WHERE ${unread} GROUP BY sender`,
    )
    .all();
  for (const { sender, n } of rows) counts[otherClient(sender)] = n;
  return counts;
}

/** All counts, and the newest message without its text. */
export function counts(db: Database): Counts {
  const latest = db
    .query<NonNullable<Counts["latest"]>, []>(
      "SELECT id, sender, CAST(timestamp AS TEXT) AS timestamp FROM messages ORDER BY id DESC LIMIT 1",
    )
    .get();
  return { total: countTotal(db), unread: countUnread(db), latest };
}

function countTotal(db: Database): number {
  return db.query<{ n: number }, []>("SELECT count(*) AS n FROM messages").get()?.n ?? 0;
}

// One statement for lists of any length, so that it is prepared once.
function among(column: string): string {
  return `${column} IN (SELECT value FROM json_each($ids))`;
}
