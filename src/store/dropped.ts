import type { Database } from "bun:sqlite";
import type { Client } from "../core/client.ts";
import type { ClearedBy, Dropped, Lease } from "../core/leased-page.ts";
import { isForProject } from "./projects.ts";

/** Makes the trigger that records what leaves the window unread. */
export function recordDrops(db: Database): void {
  db.run("DROP TRIGGER IF EXISTS relay_record_dropped");
  db.run(`CREATE TRIGGER relay_record_dropped AFTER DELETE ON messages
    WHEN (OLD.sender = 'desktop' AND OLD.read_by_code_at IS NULL)
      OR (OLD.sender = 'code' AND OLD.read_by_desktop_at IS NULL)
    BEGIN
      INSERT OR REPLACE INTO relay_dropped (message_id, reader, project)
        VALUES (OLD.id, CASE OLD.sender WHEN 'desktop' THEN 'code' ELSE 'desktop' END, OLD.project);
    END`);
}

/**
 * The messages that this reader missed in this project or none, and no page has reported, oldest first. A clear on the
 * command line, which its person knows of, is reported once, to whichever side reads first.
 */
export function unreported(db: Database, reader: Client, project: string | null): Dropped[] {
  return db
    .query<Omit<Dropped, "kept"> & { kept: number }, { reader: Client; project: string | null }>(
      `SELECT message_id AS id, EXISTS (SELECT 1 FROM relay_history WHERE id = message_id) AS kept, cleared_by
       FROM relay_dropped WHERE (reader = $reader AND ${isForProject}) OR cleared_by = 'command line'
       ORDER BY message_id`,
    )
    .all({ reader, project })
    .map((row) => ({ ...row, kept: row.kept !== 0 }));
}

/** Forgets the drops that an acked page reported, and those of its own messages while it was in flight. */
export function forget(db: Database, { unread, dropped }: Lease): void {
  db.query("DELETE FROM relay_dropped WHERE message_id IN (SELECT value FROM json_each($ids))").run({
    ids: JSON.stringify([...unread, ...dropped.map(({ id }) => id)]),
  });
}

/** Records who cleared these messages. A client's own clear is not reported to it. */
export function markCleared(db: Database, ids: readonly number[], by: ClearedBy): void {
  const cleared = { ids: JSON.stringify(ids), by };
  db.query("UPDATE relay_dropped SET cleared_by = $by WHERE message_id IN (SELECT value FROM json_each($ids))").run(
    cleared,
  );
  db.query("DELETE FROM relay_dropped WHERE reader = $by AND message_id IN (SELECT value FROM json_each($ids))").run(
    cleared,
  );
}

/** Remembers again, in its project as far as the history has that, what a page reported that nobody waited for. */
export function restore(db: Database, { reader, dropped }: Lease): void {
  const insert = db.query(
    `INSERT OR IGNORE INTO relay_dropped (message_id, reader, cleared_by, project)
     VALUES ($id, $reader, $cleared_by, (SELECT project FROM relay_history WHERE id = $id))`,
  );
  for (const { id, cleared_by } of dropped) insert.run({ id, reader, cleared_by });
}
