import type { ListedAttachment } from "../core/attachment.ts";
import type { Client } from "../core/client.ts";
import { leaseMs } from "../core/limits.ts";
import { typedPlaces } from "../core/message.ts";

/** The columns of a message that window and history have both. */
export const messageColumns =
  "id, sender, timestamp, read_by_desktop_at, read_by_code_at, typed_in, project, reply_to, message";

/** SQL for a message that its reader has not read. */
export const isUnread =
  "((sender = 'desktop' AND read_by_code_at IS NULL) OR (sender = 'code' AND read_by_desktop_at IS NULL))";

/** SQL for a message in flight. A stamp in the future was made before the clock was set back, and counts as expired. */
export const inFlight = `(leased_at IS NOT NULL AND leased_at > $now - ${leaseMs} AND leased_at <= $now)`;

/** SQL for a message of a list. The ids come as JSON, so that SQLite prepares one statement for lists of any length. */
export const amongIds = "id IN (SELECT value FROM json_each($ids))";

/** The column with the time at which this client read a message. */
export function readColumn(reader: Client): string {
  return reader === "desktop" ? "read_by_desktop_at" : "read_by_code_at";
}

/** SQL for the place where the person typed a message. Another program, or a newer relay, may have stored anything. */
export const typedIn = `CASE WHEN typed_in IN ('${Object.keys(typedPlaces).join("', '")}') THEN typed_in END`;

/**
 * SQL for the files of the message `found`, as JSON. Another program may have stored anything. Only a content's type is asked
 * for: SQLite has that without reading the content, and `content IS NULL` would read the 8 MB.
 */
export const listedFiles = `(SELECT json_group_array(json_object('name', name, 'type', type, 'size', size,
    'sha256', sha256, 'kept', json(iif(kept, 'true', 'false'))))
  FROM (SELECT CAST(name AS TEXT) AS name, CAST(type AS TEXT) AS type, CAST(size AS INTEGER) AS size,
    CAST(sha256 AS TEXT) AS sha256, typeof(content) <> 'null' AS kept
    FROM relay_files WHERE message_id = found.id ORDER BY position))`;

/** A row with the files of {@link listedFiles}. */
export interface RowWithFiles {
  files: string;
}

/** The row with its files. */
export function withFiles<Row extends RowWithFiles>(row: Row): Omit<Row, "files"> & { files: ListedAttachment[] } {
  return { ...row, files: JSON.parse(row.files) };
}
