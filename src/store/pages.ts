import type { Database } from "bun:sqlite";
import { type Client, otherClient } from "../core/client.ts";
import { composePage, leaseFor, projectOf } from "../core/compose-page.ts";
import type { LeasedPage, Page, PageMessage, PageRequest, Source } from "../core/leased-page.ts";
import { pageBytes } from "../core/limits.ts";
import { countFitting } from "../core/page-size.ts";
import type { Redeemed, Ticket } from "../core/store.ts";
import { amongIds, inFlight, listedFiles, type RowWithFiles, readColumn, typedIn, withFiles } from "./columns.ts";
import { unreported } from "./dropped.ts";
import { everywhere } from "./history.ts";
import { countUnread, lease as leaseMessages } from "./messages.ts";
import { isForProject, waitingByProject, withSafeProject } from "./projects.ts";

// Another program may have stored a number or a blob as a text.
const columns = `id, sender, CAST(message AS TEXT) AS message, CAST(timestamp AS TEXT) AS timestamp,
  read_by_desktop_at, read_by_code_at, ${typedIn} AS typed_in, project, reply_to, redelivered, leased_at,
  ${listedFiles} AS files,
  coalesce(${["messages", "relay_history"].map(
    (table) => `(SELECT substr(CAST(message AS TEXT), 1, 400) FROM ${table} WHERE id = found.reply_to)`,
  )}) AS answered`;

type Row = Omit<PageMessage, "redelivered" | "files"> &
  RowWithFiles & { redelivered: number; leased_at: number | null };

/** The page that a request gives at `now`. */
export function readPage(db: Database, request: PageRequest, now: number): Page {
  const { reader } = request;
  const project = projectOf(request);
  const unread = countUnread(db)[reader];
  // two statements less where a person finds nothing
  const [waiting, flying] =
    unread > 0 ? [readWaiting(db, request, now), countInFlight(db, reader, project, now)] : [[], 0];
  const found = {
    waiting,
    readBefore: (limit: number) => readBefore(db, reader, project, limit),
    unread,
    projects: project === null ? [] : waitingByProject(db),
    inFlight: flying,
    dropped: unreported(db, reader, project),
  };
  return composePage(found, request);
}

/** Reads a page and leases its messages. */
export function leasePage(db: Database, request: PageRequest, now: number): LeasedPage {
  const page = readPage(db, request, now);
  const lease = leaseFor(page, request, crypto.randomUUID());
  if (lease) leaseMessages(db, lease, now);
  return { page, lease };
}

/** Leases a page of a ticket's messages, unless they are brought once more. */
export function leaseTicket(
  db: Database,
  { words, ids, project }: Ticket & Pick<Source, "project">,
  request: PageRequest,
  now: number,
): Redeemed {
  const isUnread = words === "" || words === "all";
  const wanted = { ...request, project, everyProject: words === "all", only: ids };
  return { words, ids, leased: isUnread ? leasePage(db, wanted, now) : null };
}

/** The messages of the page that a reader in this project read last, in time order. */
export function lastPage(db: Database, reader: Client, project: string | null): PageMessage[] {
  const column = readColumn(reader);
  // `/get all` also brings what is for other projects
  const own = `sender = $sender AND (${isForProject} OR ${column} IN
    (SELECT delivered_at FROM relay_deliveries WHERE reader = $reader AND project = $project))`;
  return db
    .query<Row, { sender: Client; reader: Client; project: string | null }>(
      `SELECT ${columns} FROM ${everywhere} AS found WHERE id IN (
         SELECT id FROM ${everywhere} WHERE sender = $sender AND ${column} =
           (SELECT max(${column}) FROM ${everywhere} WHERE ${own}))
       ORDER BY id`,
    )
    .all({ sender: otherClient(reader), reader, project })
    .map(shownMessage);
}

/** The messages with these ids, in time order. */
export function find(db: Database, ids: readonly number[]): PageMessage[] {
  return db
    .query<Row, { ids: string }>(
      `SELECT ${columns} FROM ${everywhere} AS found WHERE ${amongIds} AND sender IN ('desktop', 'code') ORDER BY id`,
    )
    .all({ ids: JSON.stringify(ids) })
    .map(shownMessage);
}

/** The newest messages of both sides, in time order. */
export function latest(db: Database, limit: number): PageMessage[] {
  const rows = db
    .query<Row, { limit: number }>(
      `SELECT ${columns} FROM messages AS found WHERE sender IN ('desktop', 'code') ORDER BY id DESC LIMIT $limit`,
    )
    .all({ limit })
    .map(shownMessage);
  return rows.slice(0, countFitting(rows, pageBytes, true)).reverse();
}

function readWaiting(db: Database, request: PageRequest, now: number): PageMessage[] {
  const { reader, limit, only = null } = request;
  return db
    .query<Row, { sender: Client; limit: number; now: number; ids: string; project: string | null }>(
      `SELECT ${columns} FROM messages AS found
       WHERE sender = $sender AND ${readColumn(reader)} IS NULL AND NOT ${inFlight}
         AND ($ids = 'null' OR ${amongIds}) AND ${isForProject} ORDER BY id LIMIT $limit`,
    )
    .all({ sender: otherClient(reader), limit, now, ids: JSON.stringify(only), project: projectOf(request) })
    .map(waitingMessage);
}

function countInFlight(db: Database, reader: Client, project: string | null, now: number): number {
  const found = db
    .query<{ n: number }, { sender: Client; now: number; project: string | null }>(
      `SELECT count(*) AS n FROM messages
       WHERE sender = $sender AND ${readColumn(reader)} IS NULL AND ${inFlight} AND ${isForProject}`,
    )
    .get({ sender: otherClient(reader), now, project });
  return found?.n ?? 0;
}

function readBefore(db: Database, reader: Client, project: string | null, limit: number): PageMessage[] {
  return db
    .query<Row, { sender: Client; limit: number; project: string | null }>(
      `SELECT ${columns} FROM messages AS found
       WHERE sender = $sender AND ${readColumn(reader)} IS NOT NULL AND ${isForProject} ORDER BY id DESC LIMIT $limit`,
    )
    .all({ sender: otherClient(reader), limit, project })
    .map(shownMessage);
}

// The page of an expired lease may have been shown.
function waitingMessage({ leased_at, ...row }: Row): PageMessage {
  return { ...withFiles(withSafeProject(row)), redelivered: row.redelivered !== 0 || leased_at !== null };
}

function shownMessage({ leased_at, ...row }: Row): PageMessage {
  return { ...withFiles(withSafeProject(row)), redelivered: false };
}
