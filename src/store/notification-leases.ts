import type { Database } from "bun:sqlite";
import { type Client, otherClient } from "../core/client.ts";
import { timestamp } from "../core/clock.ts";
import { announcementTries, foldMilliseconds, leaseMilliseconds } from "../core/limits.ts";
import { defaultWish, type Lease, type Wish } from "../core/store.ts";
import { claimStands, readColumn } from "./messages.ts";

// One stamped in the future was stamped before the clock was set back.
const leaseStands = `(notify_claimed_at IS NOT NULL AND notify_claimed_at > $now - ${leaseMilliseconds} AND notify_claimed_at <= $now)`;

/** What the buffer knows of a reader: its wish, if it ever said one, and the last announcement made to it. */
interface ReaderRow {
  notify: number | null;
  sound: string | null;
  leased_at: number | null;
}

interface WaitingRow {
  id: number;
  message: string;
  timestamp: string;
  notify_tries: number;
}

/** Stores a client's wish; unless `anew` only if it never said any. */
export function setWish(db: Database, client: Client, wish: Wish, anew: boolean): void {
  const row = readerRow(db, client);
  const said = typeof row?.notify === "number";
  if (said && (!anew || (row.notify === Number(wish.notify) && row.sound === wish.sound))) return;
  if (!said && wish.notify === defaultWish.notify && wish.sound === defaultWish.sound) return;
  db.query(
    `INSERT INTO relay_readers (client, notify, sound) VALUES ($client, $notify, $sound)
     ON CONFLICT (client) DO UPDATE SET notify = $notify, sound = $sound`,
  ).run({ client, notify: Number(wish.notify), sound: wish.sound });
}

/** For how many milliseconds the reader is still left in peace; 0 if it is not. */
export function peaceLeft(db: Database, reader: Client, now: number): number {
  const since = readerRow(db, reader)?.leased_at ?? null;
  if (since === null || since > now) return 0;
  return Math.max(0, since + foldMilliseconds - now);
}

/** Counts one message as announced. */
export function skip(db: Database, id: number, now: number): void {
  db.query("UPDATE messages SET notified_at = $at WHERE id = $id").run({ id, at: timestamp(now) });
}

/**
 * Leases whatever waits for the reader and was not announced. Where the reader wants no notifications, it counts as
 * announced instead.
 */
export function lease(db: Database, reader: Client, name: string, now: number): Lease | null {
  const row = readerRow(db, reader);
  if (row?.notify === 0) {
    markAll(db, reader, now);
    return null;
  }
  const waiting = db
    .query<WaitingRow, { now: number; sender: Client; tries: number }>(
      `SELECT id, CAST(message AS TEXT) AS message, CAST(timestamp AS TEXT) AS timestamp, notify_tries
       FROM messages
       WHERE ${unannounced(reader)} AND notify_tries < $tries AND NOT ${leaseStands} AND NOT ${claimStands}
       ORDER BY id`,
    )
    .all({ now, sender: otherClient(reader), tries: announcementTries });
  const [oldest] = waiting;
  if (!oldest) return null;
  db.query(
    `UPDATE messages SET notify_lease = $name, notify_claimed_at = $now, notify_tries = notify_tries + 1
     WHERE id IN (SELECT value FROM json_each($ids))`,
  ).run({ name, now, ids: JSON.stringify(waiting.map(({ id }) => id)) });
  db.query(
    `INSERT INTO relay_readers (client, lease, leased_at) VALUES ($reader, $name, $now)
     ON CONFLICT (client) DO UPDATE SET lease = $name, leased_at = $now`,
  ).run({ reader, name, now });
  return {
    name,
    reader,
    count: waiting.length,
    more: follows(oldest, row?.leased_at ?? null, now),
    message: oldest.message,
    sound: row?.sound ?? defaultWish.sound,
  };
}

// What was tried before is no news that follows upon itself.
function follows({ timestamp, notify_tries }: WaitingRow, leasedAt: number | null, now: number): boolean {
  return (
    leasedAt !== null &&
    leasedAt <= now &&
    notify_tries === 0 &&
    Date.parse(timestamp) < leasedAt + foldMilliseconds
  );
}

/** Whether there is anything left that may have to be announced some time, be it leased or not. */
export function anyLeft(db: Database): boolean {
  const left = db
    .query<{ n: number }, { tries: number }>(
      `SELECT count(*) AS n FROM messages WHERE notified_at IS NULL AND (notify_tries < $tries)
       AND ((sender = 'desktop' AND read_by_code_at IS NULL) OR (sender = 'code' AND read_by_desktop_at IS NULL))`,
    )
    .get({ tries: announcementTries });
  return (left?.n ?? 0) > 0;
}

/** Counts what the lease holds as announced. */
export function announced(db: Database, name: string, now: number): void {
  db.query(
    `UPDATE messages SET notified_at = $at, notify_lease = NULL, notify_claimed_at = NULL WHERE notify_lease = $name`,
  ).run({ name, at: timestamp(now) });
}

/** Frees what the lease holds, and ends the peace that it began. */
export function free(db: Database, name: string): void {
  db.query(
    "UPDATE messages SET notify_lease = NULL, notify_claimed_at = NULL WHERE notify_lease = $name",
  ).run({ name });
  db.query("UPDATE relay_readers SET lease = NULL, leased_at = NULL WHERE lease = $name").run({ name });
}

function markAll(db: Database, reader: Client, now: number): void {
  db.query(`UPDATE messages SET notified_at = $at WHERE ${unannounced(reader)}`).run({
    at: timestamp(now),
    sender: otherClient(reader),
  });
}

function unannounced(reader: Client): string {
  return `sender = $sender AND notified_at IS NULL AND ${readColumn(reader)} IS NULL`;
}

function readerRow(db: Database, client: Client): ReaderRow | null {
  return db
    .query<ReaderRow, { client: Client }>(
      "SELECT notify, sound, leased_at FROM relay_readers WHERE client = $client",
    )
    .get({ client });
}
