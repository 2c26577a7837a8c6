import type { Database } from "bun:sqlite";
import { type Client, otherClient } from "../core/client.ts";
import { pageBytes } from "../core/limits.ts";
import { type Loss, type Page, type PageMessage, type PageRequest, unreadIds } from "../core/store.ts";
import { claimStands, countUnread, readColumn } from "./messages.ts";

// A row of another program's making may hold a number or a blob where a text should be.
const columns = `id, sender, CAST(message AS TEXT) AS message, CAST(timestamp AS TEXT) AS timestamp,
  read_by_desktop_at, read_by_code_at, maybe_shown, claimed_at`;

type Row = Omit<PageMessage, "maybe_shown"> & { maybe_shown: number; claimed_at: number | null };

/** What a page for this reader would hold at `now`, these losses among it. */
export function readPage<Told extends Loss>(
  db: Database,
  request: PageRequest,
  losses: Told[],
  now: number,
): Page & { losses: Told[] } {
  const { reader, limit, includeRead, fit } = request;
  const sender = otherClient(reader);
  const waiting = db
    .query<Row, { sender: Client; limit: number; now: number }>(
      `SELECT ${columns} FROM messages WHERE sender = $sender AND ${readColumn(reader)} IS NULL AND NOT ${claimStands}
       ORDER BY id LIMIT $limit`,
    )
    .all({ sender, limit, now });
  const offered = waiting.map(waitingMessage);
  const page = offered.slice(0, fit ? fit(offered, losses) : fitting(waiting, pageBytes).length);
  if (includeRead && page.length === waiting.length)
    page.push(...readBefore(db, reader, limit - page.length, page));
  return {
    messages: page.sort((a, b) => a.id - b.id),
    remaining: countUnread(db)[reader] - unreadIds(page, reader).length,
    elsewhere: countElsewhere(db, reader, now),
    losses,
  };
}

/** Those messages that the reader read in the moment it last read any, in time order. */
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

/** The newest messages of both sides, in time order. */
export function latest(db: Database, limit: number): PageMessage[] {
  const rows = db
    .query<Row, { limit: number }>(
      `SELECT ${columns} FROM messages WHERE sender IN ('desktop', 'code') ORDER BY id DESC LIMIT $limit`,
    )
    .all({ limit });
  return fitting(rows, pageBytes).map(shownMessage).reverse();
}

function countElsewhere(db: Database, reader: Client, now: number): number {
  const held = db
    .query<{ n: number }, { sender: Client; now: number }>(
      `SELECT count(*) AS n FROM messages WHERE sender = $sender AND ${readColumn(reader)} IS NULL AND ${claimStands}`,
    )
    .get({ sender: otherClient(reader), now });
  return held?.n ?? 0;
}

function readBefore(db: Database, reader: Client, limit: number, page: PageMessage[]): PageMessage[] {
  const rows = db
    .query<Row, { sender: Client; limit: number }>(
      `SELECT ${columns} FROM messages WHERE sender = $sender AND ${readColumn(reader)} IS NOT NULL
       ORDER BY id DESC LIMIT $limit`,
    )
    .all({ sender: otherClient(reader), limit });
  const used = page.reduce((sum, { message }) => sum + byteLength(message), 0);
  return fitting(rows, pageBytes - used, page.length === 0).map(shownMessage);
}

/** The first rows whose texts fit the bytes; the very first one always, unless the page has another. */
function fitting(rows: Row[], bytes: number, atLeastOne = true): Row[] {
  let used = 0;
  const end = rows.findIndex((row, index) => {
    used += byteLength(row.message);
    return used > bytes && !(atLeastOne && index === 0);
  });
  return end < 0 ? rows : rows.slice(0, end);
}

// An expired claim means that the page was perhaps shown.
function waitingMessage(row: Row): PageMessage {
  const { claimed_at, ...message } = row;
  return { ...message, maybe_shown: row.maybe_shown !== 0 || claimed_at !== null };
}

function shownMessage({ claimed_at, ...message }: Row): PageMessage {
  return { ...message, maybe_shown: false };
}

function byteLength(text: string): number {
  return globalThis.Buffer.byteLength(text);
}
