import type { Database } from "bun:sqlite";
import { type Client, otherClient } from "../core/client.ts";
import { pageBytes } from "../core/limits.ts";
import { readAt } from "../core/message.ts";
import { countFitting, fitPage } from "../core/page-size.ts";
import type { LeasedPage, Page, PageMessage, PageRequest, Redeemed, Source, Ticket } from "../core/store.ts";
import { unreported } from "./dropped.ts";
import { amongIds, countUnread, inFlight, lease as leaseMessages, readColumn, typedIn } from "./messages.ts";

// Another program may have stored a number or a blob as a text.
const columns = `id, sender, CAST(message AS TEXT) AS message, CAST(timestamp AS TEXT) AS timestamp,
  read_by_desktop_at, read_by_code_at, ${typedIn} AS typed_in, redelivered, leased_at`;

type Row = Omit<PageMessage, "redelivered"> & { redelivered: number; leased_at: number | null };

/** The page that a request gives at `now`. */
export function readPage(db: Database, request: PageRequest, now: number): Page {
  const { reader, limit, includeRead, size, only = null } = request;
  const waiting = db
    .query<Row, { sender: Client; limit: number; now: number; ids: string }>(
      `SELECT ${columns} FROM messages WHERE sender = $sender AND ${readColumn(reader)} IS NULL AND NOT ${inFlight}
       AND ($ids = 'null' OR ${amongIds}) ORDER BY id LIMIT $limit`,
    )
    .all({ sender: otherClient(reader), limit, now, ids: JSON.stringify(only) })
    .map(waitingMessage);
  const dropped = unreported(db, reader);
  const { count, tooLong } = fitPage(waiting, dropped, size);
  const fresh = waiting.slice(0, count);
  const before = includeRead && count === waiting.length ? readBefore(db, reader, limit - count, fresh) : [];
  return {
    messages: [...fresh, ...before].sort((a, b) => a.id - b.id),
    remaining: countUnread(db)[reader] - count,
    inFlight: countInFlight(db, reader, now),
    dropped,
    tooLong,
  };
}

/** Reads a page and leases its messages. */
export function leasePage(db: Database, request: PageRequest, now: number): LeasedPage {
  const { reader, origin, project } = request;
  const page = readPage(db, request, now);
  const unread = page.messages.filter((message) => readAt(message, reader) === null).map(({ id }) => id);
  const { dropped } = page;
  if (unread.length + dropped.length === 0) return { page, lease: null };
  const lease = { id: crypto.randomUUID(), reader, unread, dropped, origin, project };
  leaseMessages(db, lease, now);
  return { page, lease };
}

/** Leases a page of a ticket's messages, unless it is for messages once more. */
export function leaseTicket(
  db: Database,
  { words, ids, project }: Ticket & Pick<Source, "project">,
  request: PageRequest,
  now: number,
): Redeemed {
  return { words, ids, leased: words === "" ? leasePage(db, { ...request, project, only: ids }, now) : null };
}

/** The messages of the page that the reader read last, in time order. */
export function lastPage(db: Database, reader: Client): PageMessage[] {
  const column = readColumn(reader);
  return db
    .query<Row, { sender: Client }>(
      `SELECT ${columns} FROM messages WHERE sender = $sender AND ${column} =
       (SELECT max(${column}) FROM messages WHERE sender = $sender) ORDER BY id`,
    )
    .all({ sender: otherClient(reader) })
    .map(shownMessage);
}

/** The messages with these ids, in time order. */
export function find(db: Database, ids: readonly number[]): PageMessage[] {
  return db
    .query<Row, { ids: string }>(
      `SELECT ${columns} FROM messages WHERE ${amongIds} AND sender IN ('desktop', 'code') ORDER BY id`,
    )
    .all({ ids: JSON.stringify(ids) })
    .map(shownMessage);
}

/** The newest messages of both sides, in time order. */
export function latest(db: Database, limit: number): PageMessage[] {
  const rows = db
    .query<Row, { limit: number }>(
      `SELECT ${columns} FROM messages WHERE sender IN ('desktop', 'code') ORDER BY id DESC LIMIT $limit`,
    )
    .all({ limit })
    .map(shownMessage);
  return rows.slice(0, countFitting(rows, pageBytes, true)).reverse();
}

function countInFlight(db: Database, reader: Client, now: number): number {
  const found = db
    .query<{ n: number }, { sender: Client; now: number }>(
      `SELECT count(*) AS n FROM messages WHERE sender = $sender AND ${readColumn(reader)} IS NULL AND ${inFlight}`,
    )
    .get({ sender: otherClient(reader), now });
  return found?.n ?? 0;
}

function readBefore(db: Database, reader: Client, limit: number, fresh: PageMessage[]): PageMessage[] {
  const rows = db
    .query<Row, { sender: Client; limit: number }>(
      `SELECT ${columns} FROM messages WHERE sender = $sender AND ${readColumn(reader)} IS NOT NULL
       ORDER BY id DESC LIMIT $limit`,
    )
    .all({ sender: otherClient(reader), limit })
    .map(shownMessage);
  const used = fresh.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0);
  return rows.slice(0, countFitting(rows, pageBytes - used, fresh.length === 0));
}

// The page of an expired lease may have been shown.
function waitingMessage({ leased_at, ...row }: Row): PageMessage {
  return { ...row, redelivered: row.redelivered !== 0 || leased_at !== null };
}

function shownMessage({ leased_at, ...row }: Row): PageMessage {
  return { ...row, redelivered: false };
}
