import type { Database } from "bun:sqlite";
import { type Client, otherClient } from "../core/client.ts";
import { timestamp } from "../core/clock.ts";
import { cooldownMs, notificationAttempts, notificationLeaseMs } from "../core/limits.ts";
import type { TypedIn } from "../core/message.ts";
import {
  defaultPreference,
  isDefaultPreference,
  type NotificationLease,
  type NotificationPreference,
} from "../core/store.ts";
import { amongIds, inFlight, isUnread, readColumn, typedIn } from "./columns.ts";
import { withSafeProject } from "./projects.ts";

// A stamp in the future was made before the clock was set back, and counts as expired.
const isLeased = `(notification_leased_at IS NOT NULL AND notification_leased_at > $now - ${notificationLeaseMs}
  AND notification_leased_at <= $now)`;

interface ClientRow {
  notify: number | null;
  sound: string | null;
  notification_leased_at: number | null;
}

interface WaitingRow {
  id: number;
  message: string;
  timestamp: string;
  typed_in: TypedIn | null;
  project: string | null;
  notification_attempts: number;
}

/** Stores a client's preference, unless it is the default one and none is stored. `renewed`: only if none is stored. */
export function setPreference(
  db: Database,
  client: Client,
  preference: NotificationPreference,
  renewed: boolean,
): void {
  const isStored = typeof clientRow(db, client)?.notify === "number";
  if (isStored ? renewed : isDefaultPreference(preference)) return;
  db.query(
    `INSERT INTO relay_clients (client, notify, sound) VALUES ($client, $notify, $sound)
     ON CONFLICT (client) DO UPDATE SET notify = $notify, sound = $sound`,
  ).run({ client, notify: Number(preference.notify), sound: preference.sound });
}

/** The rest of the reader's cooldown, in milliseconds. */
export function cooldownLeft(db: Database, reader: Client, now: number): number {
  const since = clientRow(db, reader)?.notification_leased_at ?? null;
  if (since === null || since > now) return 0;
  return Math.max(0, since + cooldownMs - now);
}

/** Marks a message as announced. */
export function skip(db: Database, id: number, now: number): void {
  db.query("UPDATE messages SET notified_at = $at WHERE id = $id").run({ id, at: timestamp(now) });
}

/** Whether any message may have to be announced, now or later. */
export function hasPending(db: Database): boolean {
  const pending = db.query(
    `SELECT 1 FROM messages
     WHERE notified_at IS NULL AND notification_attempts < $attempts AND ${isUnread} LIMIT 1`,
  );
  return pending.get({ attempts: notificationAttempts }) !== null;
}

/**
 * Leases the reader's unannounced messages; `null` if there are none. If the reader wants no notifications, marks them as
 * announced. A `look` says "more" of messages that came within the cooldown.
 */
export function leaseNotification(db: Database, reader: Client, now: number, look: boolean): NotificationLease | null {
  const row = clientRow(db, reader);
  const sender = otherClient(reader);
  const unannounced = `sender = $sender AND notified_at IS NULL AND ${readColumn(reader)} IS NULL`;
  if (row?.notify === 0) {
    db.query(`UPDATE messages SET notified_at = $at WHERE ${unannounced}`).run({ at: timestamp(now), sender });
    return null;
  }
  const waiting = db
    .query<WaitingRow, { now: number; sender: Client; attempts: number }>(
      `SELECT id, CAST(message AS TEXT) AS message, CAST(timestamp AS TEXT) AS timestamp, ${typedIn} AS typed_in,
         project, notification_attempts
       FROM messages
       WHERE ${unannounced} AND notification_attempts < $attempts AND NOT ${isLeased} AND NOT ${inFlight}
       ORDER BY id`,
    )
    .all({ now, sender, attempts: notificationAttempts });
  const [oldest] = waiting;
  if (!oldest) return null;
  const id = crypto.randomUUID();
  db.query(
    `UPDATE messages SET notification_lease = $id, notification_leased_at = $now,
       notification_attempts = notification_attempts + 1
     WHERE ${amongIds}`,
  ).run({ id, now, ids: JSON.stringify(waiting.map((message) => message.id)) });
  db.query(
    `INSERT INTO relay_clients (client, notification_lease, notification_leased_at) VALUES ($reader, $id, $now)
     ON CONFLICT (client) DO UPDATE SET notification_lease = $id, notification_leased_at = $now`,
  ).run({ id, reader, now });
  return {
    id,
    reader,
    count: waiting.length,
    more: look && isFollowUp(oldest, row?.notification_leased_at ?? null, now),
    message: oldest.message,
    typed_in: waiting.every(({ typed_in }) => typed_in === oldest.typed_in) ? oldest.typed_in : null,
    project: waiting.every(({ project }) => project === oldest.project) ? withSafeProject(oldest).project : null,
    sound: row?.sound ?? defaultPreference.sound,
  };
}

/** Marks the lease's messages as announced. */
export function mark(db: Database, { id }: NotificationLease, now: number): void {
  db.query(
    `UPDATE messages SET notified_at = $at, notification_lease = NULL, notification_leased_at = NULL
     WHERE notification_lease = $id`,
  ).run({ id, at: timestamp(now) });
}

/** Ends the lease, and the cooldown of its reader, who saw nothing. */
export function release(db: Database, { id }: NotificationLease): void {
  for (const table of ["messages", "relay_clients"])
    db.query(
      `UPDATE ${table} SET notification_lease = NULL, notification_leased_at = NULL WHERE notification_lease = $id`,
    ).run({ id });
}

// After a first attempt the message may follow only its own notification.
function isFollowUp({ timestamp, notification_attempts }: WaitingRow, last: number | null, now: number): boolean {
  return last !== null && last <= now && notification_attempts === 0 && Date.parse(timestamp) < last + cooldownMs;
}

function clientRow(db: Database, client: Client): ClientRow | null {
  return db
    .query<ClientRow, { client: Client }>(
      "SELECT notify, sound, notification_leased_at FROM relay_clients WHERE client = $client",
    )
    .get({ client });
}
