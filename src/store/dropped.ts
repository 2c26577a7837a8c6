import type { Database } from "bun:sqlite";
import type { Client } from "../core/client.ts";
import type { ClearedBy, Dropped, Lease } from "../core/store.ts";

/** The messages that this reader missed and was not told of, oldest first. A trigger records them (schema.ts). */
export function untold(db: Database, reader: Client): Dropped[] {
  return db
    .query<Dropped, { reader: Client }>(
      "SELECT message_id AS id, cleared_by FROM relay_dropped WHERE reader = $reader ORDER BY message_id",
    )
    .all({ reader });
}

/** Forgets what an acked page told, and messages of the page that left the buffer while it was in flight. */
export function forget(db: Database, { reader, unread, dropped }: Lease): void {
  db.query(
    "DELETE FROM relay_dropped WHERE reader = $reader AND message_id IN (SELECT value FROM json_each($ids))",
  ).run({ reader, ids: JSON.stringify([...unread, ...dropped]) });
}

/** Notes who cleared these messages; a client that cleared them itself is not told. */
export function markCleared(db: Database, ids: readonly number[], by: ClearedBy): void {
  const cleared = { ids: JSON.stringify(ids), by };
  db.query(
    "UPDATE relay_dropped SET cleared_by = $by WHERE message_id IN (SELECT value FROM json_each($ids))",
  ).run(cleared);
  db.query(
    "DELETE FROM relay_dropped WHERE reader = $by AND message_id IN (SELECT value FROM json_each($ids))",
  ).run(cleared);
}
