import type { Database } from "bun:sqlite";
import { type Client, otherClient } from "../core/client.ts";
import type { Lease } from "../core/leased-page.ts";
import { windowSize } from "../core/limits.ts";
import { type Message, type NewMessage, unknownAnswered } from "../core/message.ts";
import type { Counts } from "../core/store.ts";
import { amongIds, isUnread, readColumn } from "./columns.ts";
import { lastDeliveries, noteDelivery } from "./deliveries.ts";
import { ackEvicted, everywhere, sizeOf } from "./history.ts";
import { waitingByProject, withSafeProject } from "./projects.ts";

/** Stores a message, and answers its id and project. Throws `usage` if it answers a message that is nowhere. */
export function insert(
  db: Database,
  { sender, message, typed_in = null, project: named = null, reply_to = null }: NewMessage,
  timestamp: string,
): { id: number; project: string | null } {
  const answered = reply_to === null ? null : projectOfAnswered(db, reply_to);
  const project = named ?? answered;
  const statement = db.query<{ id: number }, Omit<Message, "id" | "read_by_desktop_at" | "read_by_code_at" | "files">>(
    `INSERT INTO messages (sender, message, timestamp, typed_in, project, reply_to)
     VALUES ($sender, $message, $timestamp, $typed_in, $project, $reply_to) RETURNING id`,
  );
  const row = statement.get({ sender, message, timestamp, typed_in, project, reply_to });
  return { id: row?.id ?? 0, project };
}

function projectOfAnswered(db: Database, id: number): string | null {
  const answered = db
    .query<{ project: string | null }, { id: number }>(`SELECT project FROM ${everywhere} WHERE id = $id`)
    .get({ id });
  if (answered) return withSafeProject(answered).project;
  throw unknownAnswered(id);
}

/** Makes room in the window, but not of `newest`: the oldest read message goes first, the oldest unread one last. */
export function evict(db: Database, newest: number): { id: number; unread: number }[] {
  const excess = countTotal(db) - windowSize;
  if (excess <= 0) return [];
  const evicted = db
    .query<{ id: number; unread: number }, { newest: number; excess: number }>(
      `SELECT id, ${isUnread} AS unread FROM messages WHERE id <> $newest ORDER BY unread, id LIMIT $excess`,
    )
    .all({ newest, excess })
    .sort((a, b) => a.id - b.id);
  db.query(`DELETE FROM messages WHERE ${amongIds}`).run({ ids: JSON.stringify(evicted.map(({ id }) => id)) });
  return evicted;
}

/** Deletes every message. Answers the ids, and the number of unread ones. */
export function deleteAll(db: Database): { ids: number[]; unread: number } {
  const { desktop, code } = countUnread(db);
  const deleted = db.query<{ id: number }, []>("DELETE FROM messages RETURNING id").all();
  return { ids: deleted.map(({ id }) => id), unread: desktop + code };
}

/** Leases messages, and labels those of an expired lease, which may have been shown. */
export function lease(db: Database, { id, unread: ids }: Lease, now: number): void {
  db.query(
    `UPDATE messages SET lease_id = $id, leased_at = $now, redelivered = redelivered OR leased_at IS NOT NULL
     WHERE ${amongIds}`,
  ).run({ id, now, ids: JSON.stringify(ids) });
}

/** Starts the lease's time again. `false`, with nothing changed, if some of its messages went to another reader. */
export function renew(db: Database, { id, unread: ids }: Lease, now: number): boolean {
  const lost = db
    .query(`SELECT 1 FROM messages WHERE ${amongIds} AND (lease_id IS NOT $id OR leased_at IS NULL) LIMIT 1`)
    .get({ id, ids: JSON.stringify(ids) });
  if (lost) return false;
  db.query("UPDATE messages SET leased_at = $now WHERE lease_id = $id AND leased_at IS NOT NULL").run({ id, now });
  return true;
}

/** Marks the messages that the lease still holds as read. They keep its id, so that {@link undeliver} finds them. */
export function ack(db: Database, lease: Lease, readAt: string): void {
  const statement = db.query(
    `UPDATE messages SET ${readColumn(lease.reader)} = $readAt, leased_at = NULL, redelivered = 0
     WHERE lease_id = $id AND leased_at IS NOT NULL`,
  );
  const { changes } = statement.run({ id: lease.id, readAt });
  const evicted = changes < lease.unread.length ? ackEvicted(db, lease, readAt) : 0;
  if (changes + evicted > 0) noteDelivery(db, lease, readAt);
}

/** Ends the lease; with `redelivered` its messages are labelled. */
export function release(db: Database, { id }: Lease, redelivered: boolean): void {
  db.query(
    `UPDATE messages SET lease_id = NULL, leased_at = NULL, redelivered = redelivered OR $redelivered
     WHERE lease_id = $id AND leased_at IS NOT NULL`,
  ).run({ id, redelivered: Number(redelivered) });
}

/** Makes the messages of an acked lease unread again, and labels them. */
export function undeliver(db: Database, { id, reader }: Lease): void {
  db.query(
    `UPDATE messages SET ${readColumn(reader)} = NULL, lease_id = NULL, redelivered = 1
     WHERE lease_id = $id AND leased_at IS NULL`,
  ).run({ id });
}

/** The number of messages that wait for each client. */
export function countUnread(db: Database): Record<Client, number> {
  const counts = { desktop: 0, code: 0 };
  const rows = db
    .query<{ sender: Client; n: number }, []>(
      `SELECT sender, count(*) AS n FROM messages WHERE ${isUnread} GROUP BY sender`,
    )
    .all();
  for (const { sender, n } of rows) counts[otherClient(sender)] = n;
  return counts;
}

/** All counts, the newest message without its text, and the last deliveries. */
export function counts(db: Database): Counts {
  const latest = db
    .query<NonNullable<Counts["latest"]>, []>(
      "SELECT id, sender, CAST(timestamp AS TEXT) AS timestamp FROM messages ORDER BY id DESC LIMIT 1",
    )
    .get();
  return {
    total: countTotal(db),
    history: sizeOf(db).n,
    unread: countUnread(db),
    projects: waitingByProject(db),
    latest,
    delivered: lastDeliveries(db),
  };
}

function countTotal(db: Database): number {
  return db.query<{ n: number }, []>("SELECT count(*) AS n FROM messages").get()?.n ?? 0;
}
