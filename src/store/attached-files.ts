import type { Database } from "bun:sqlite";
import { noRoomForFiles, type StoredAttachment } from "../core/attachment.ts";
import { filesPerMessage, keptFileBytes } from "../core/limits.ts";
import { isUnread } from "./columns.ts";
import { everywhere } from "./history.ts";

/** Makes the table of files. A content stands last in its row, so that what reads the rest of rows reads none of them. */
export function createFiles(db: Database): void {
  db.run(`CREATE TABLE IF NOT EXISTS relay_files (
    message_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    size INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    content BLOB,
    PRIMARY KEY (message_id, position)
  )`);
  // what leaves the window is in the history, also what the original deletes
  db.run(`CREATE TRIGGER IF NOT EXISTS relay_drop_files AFTER DELETE ON relay_history
    BEGIN DELETE FROM relay_files WHERE message_id = OLD.id; END`);
}

/** Stores the files of a message. */
export function insertFiles(db: Database, id: number, files: readonly StoredAttachment[]): void {
  const statement = db.query(
    `INSERT INTO relay_files (message_id, position, size, name, type, sha256, content)
     VALUES ($id, $position, $size, $name, $type, $sha256, $content)`,
  );
  for (const [position, { name, type, size, sha256, content }] of files.entries())
    statement.run({ id, position, size, name, type, sha256, content });
}

/**
 * Removes contents until all of them together are 64 MB at most: of the messages that were read, then of those that left the
 * window unread, the oldest first. Throws a `failed` error if that is not enough.
 */
export function makeRoomForFiles(db: Database, newest: number): void {
  const held = db.query<{ bytes: number }, []>("SELECT sum(size) AS bytes FROM relay_files WHERE content IS NOT NULL");
  let excess = (held.get()?.bytes ?? 0) - keptFileBytes;
  if (excess <= 0) return;
  const others = db.query<{ id: number; bytes: number }, { newest: number }>(
    `SELECT id, sum(size) AS bytes FROM relay_files JOIN ${everywhere} AS found ON id = message_id
     WHERE content IS NOT NULL AND id <> $newest AND NOT (left_at IS NULL AND ${isUnread})
     GROUP BY id ORDER BY ${isUnread}, id`,
  );
  const empty = db.query("UPDATE relay_files SET content = NULL WHERE message_id = $id");
  for (const { id, bytes } of others.all({ newest })) {
    if (excess <= 0) return;
    empty.run({ id });
    excess -= bytes;
  }
  if (excess <= 0) return;
  throw noRoomForFiles();
}

const columns = `CAST(name AS TEXT) AS name, CAST(type AS TEXT) AS type, CAST(size AS INTEGER) AS size,
  CAST(sha256 AS TEXT) AS sha256`;

/** The files of a message, in their order. */
export function readFiles(db: Database, id: number): StoredAttachment[] {
  return db
    .query<StoredAttachment, { id: number }>(
      `SELECT ${columns}, CAST(content AS BLOB) AS content FROM relay_files WHERE message_id = $id ORDER BY position`,
    )
    .all({ id });
}

/** The files of a message in a damaged buffer, as far as they can be read; without its content one that is damaged. */
export function salvageFiles(db: Database, id: number): StoredAttachment[] {
  const of = "FROM relay_files WHERE message_id = $id AND position = $position";
  const read = (position: number, content: string) =>
    db
      .prepare<StoredAttachment, { id: number; position: number }>(`SELECT ${columns}, ${content} AS content ${of}`)
      .get({ id, position });
  return Array.from({ length: filesPerMessage }, (_, position) => {
    for (const content of ["CAST(content AS BLOB)", "NULL"]) {
      try {
        return read(position, content) ?? [];
      } catch {} // damaged, or a buffer without files
    }
    return [];
  }).flat();
}
