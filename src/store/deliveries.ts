import type { Database } from "bun:sqlite";
import type { Client } from "../core/client.ts";
import type { Lease } from "../core/leased-page.ts";
import type { Delivered } from "../core/store.ts";

/** Notes a delivery in the place of the reader's last one. */
export function noteDelivery(db: Database, { reader, unread, origin, project }: Lease, at: string): void {
  db.query(
    `INSERT OR REPLACE INTO relay_deliveries (reader, messages, delivered_at, origin, project)
     VALUES ($reader, $messages, $at, $origin, $project)`,
  ).run({ reader, messages: unread.length, at, origin, project });
}

/** The last delivery to each client. */
export function lastDeliveries(db: Database): Record<Client, Delivered | null> {
  const last: Record<Client, Delivered | null> = { desktop: null, code: null };
  const rows = db
    .query<Delivered & { reader: Client }, []>(
      `SELECT reader, CAST(messages AS INTEGER) AS count, CAST(delivered_at AS TEXT) AS at,
         CAST(origin AS TEXT) AS origin, CAST(project AS TEXT) AS project
       FROM relay_deliveries WHERE reader IN ('desktop', 'code')`,
    )
    .all();
  for (const { reader, ...delivered } of rows) last[reader] = delivered;
  return last;
}
