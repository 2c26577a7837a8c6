import type { Database } from "bun:sqlite";
import { type Client, otherClient } from "../client.ts";
import {
  type Counts,
  claimMilliseconds,
  type Page,
  type PageMessage,
  type PageRequest,
  pageBytes,
  unreadIds,
  windowSize,
} from "./buffer.ts";

// A row of another program's making may hold a number or a blob where a text should be.
const columns = `id, sender, CAST(message AS TEXT) AS message, CAST(timestamp AS TEXT) AS timestamp,
  read_by_desktop_at, read_by_code_at, maybe_shown, claimed_at`;

const unread =
  "((sender = 'desktop' AND read_by_code_at IS NULL) OR (sender = 'code' AND read_by_desktop_at IS NULL))";

/** SQL for a claim that somebody may still confirm. One stamped in the future was stamped before the clock was set back. */
export const claimStands = `(claimed_at IS NOT NULL AND claimed_at > $now - ${claimMilliseconds} AND claimed_at <= $now)`;

type Row = Omit<PageMessage, "maybe_shown"> & { maybe_shown: number; claimed_at: number | null };

/** The column that says when this client read a message. */
export function readColumn(reader: Client): string {
  return reader === "desktop" ? "read_by_desktop_at" : "read_by_code_at";
}

/** Stores a message and answers its id. */
export function insert(db: Database, entry: { sender: Client; message: string; timestamp: string }): number {
  db.query("INSERT INTO messages (sender, message, timestamp) VALUES ($sender, $message, $timestamp)").run(
    entry,
  );
  return db.query<{ id: number }, []>("SELECT last_insert_rowid() AS id").get()?.id ?? 0;
}

/** Shrinks the buffer to its window, sparing `newest`: the oldest read message goes first, the oldest unread one last. */
export function evict(db: Database, newest: number): { id: number; unread: number }[] {
  const excess = countTotal(db) - windowSize;
  if (excess <= 0) return [];
  const victims = db
    .query<{ id: number; unread: number }, { newest: number; excess: number }>(
      `SELECT id, ${unread} AS unread FROM messages WHERE id <> $newest ORDER BY unread, id LIMIT $excess`,
    )
    .all({ newest, excess })
    .sort((a, b) => a.id - b.id);
  db.query(`DELETE FROM messages WHERE ${among("id")}`).run({
    ids: JSON.stringify(victims.map((row) => row.id)),
  });
  return victims;
}

/** Deletes everything. Answers how much there was, and how much of it nobody had read. */
export function deleteAll(db: Database): { deleted: number; deleted_unread: number } {
  const waiting = countUnread(db);
  const counted = { deleted: countTotal(db), deleted_unread: waiting.desktop + waiting.code };
  db.run("DELETE FROM messages");
  return counted;
}

/** What a page for this reader would hold at `now`, losses aside. */
export function readPage(db: Database, request: PageRequest, now: number): Omit<Page, "losses"> {
  const { reader, limit, includeRead } = request;
  const sender = otherClient(reader);
  const waiting = db
    .query<Row, { sender: Client; limit: number; now: number }>(
      `SELECT ${columns} FROM messages WHERE sender = $sender AND ${readColumn(reader)} IS NULL AND NOT ${claimStands}
       ORDER BY id LIMIT $limit`,
    )
    .all({ sender, limit, now });
  const page = fitting(waiting, pageBytes).map(waitingMessage);
  if (includeRead && page.length === waiting.length)
    page.push(...readBefore(db, reader, limit - page.length, page));
  return {
    messages: page.sort((a, b) => a.id - b.id),
    remaining: countUnread(db)[reader] - unreadIds(page, reader).length,
    elsewhere: countElsewhere(db, reader, now),
  };
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

/** Puts a claim on messages. Those that an expired claim held are labelled as perhaps shown from now on. */
export function claim(db: Database, claim: string, ids: readonly number[], now: number): void {
  db.query(
    `UPDATE messages SET claim = $claim, claimed_at = $now, maybe_shown = maybe_shown OR claimed_at IS NOT NULL
     WHERE ${among("id")}`,
  ).run({ claim, now, ids: JSON.stringify(ids) });
}

/** Whether any of the messages is no longer this claim's, though it is still there. */
export function takenFrom(db: Database, claim: string, ids: readonly number[]): boolean {
  const taken = db
    .query<{ n: number }, { claim: string; ids: string }>(
      `SELECT count(*) AS n FROM messages WHERE ${among("id")} AND claim IS NOT $claim`,
    )
    .get({ claim, ids: JSON.stringify(ids) });
  return (taken?.n ?? 0) > 0;
}

/** Starts the claim's time anew. */
export function renew(db: Database, claim: string, now: number): void {
  db.query("UPDATE messages SET claimed_at = $now WHERE claim = $claim").run({ claim, now });
}

/** Marks what the claim holds as read. */
export function deliver(db: Database, claim: string, reader: Client, readAt: string): void {
  db.query(
    `UPDATE messages SET ${readColumn(reader)} = $readAt, claim = NULL, claimed_at = NULL, maybe_shown = 0
     WHERE claim = $claim`,
  ).run({ claim, readAt });
}

/** Lifts the claim. */
export function withdraw(db: Database, claim: string, maybeShown: boolean): void {
  db.query(
    `UPDATE messages SET claim = NULL, claimed_at = NULL, maybe_shown = maybe_shown OR $maybeShown WHERE claim = $claim`,
  ).run({ claim, maybeShown: Number(maybeShown) });
}

/** Makes messages unread again that the reader read at exactly this moment. */
export function reopen(db: Database, reader: Client, ids: readonly number[], readAt: string): void {
  const column = readColumn(reader);
  db.query(
    `UPDATE messages SET ${column} = NULL, maybe_shown = 1 WHERE ${among("id")} AND ${column} = $readAt`,
  ).run({
    ids: JSON.stringify(ids),
    readAt,
  });
}

/** How many messages wait for each client. */
export function countUnread(db: Database): Record<Client, number> {
  const counts = { desktop: 0, code: 0 };
  const rows = db
    .query<{ sender: Client; n: number }, []>(
      `SELECT sender, count(*) AS n FROM messages WHERE ${unread} GROUP BY sender`,
    )
    .all();
  for (const { sender, n } of rows) counts[otherClient(sender)] = n;
  return counts;
}

/** All counts, and the newest message without its text. */
export function counts(db: Database): Counts {
  const latest = db
    .query<NonNullable<Counts["latest"]>, []>(
      "SELECT id, sender, CAST(timestamp AS TEXT) AS timestamp FROM messages ORDER BY id DESC LIMIT 1",
    )
    .get();
  return { total: countTotal(db), unread: countUnread(db), latest };
}

function countTotal(db: Database): number {
  return db.query<{ n: number }, []>("SELECT count(*) AS n FROM messages").get()?.n ?? 0;
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

// One statement for lists of any length, so that it is prepared once.
function among(column: string): string {
  return `${column} IN (SELECT value FROM json_each($ids))`;
}
