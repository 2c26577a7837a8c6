import type { Database } from "bun:sqlite";
import type { Source } from "../core/leased-page.ts";
import { refusalMs, ticketMs } from "../core/limits.ts";
import type { CodeSession, Ticket } from "../core/store.ts";

/** Makes the table of tickets. */
export function createTickets(db: Database): void {
  db.run(`CREATE TABLE IF NOT EXISTS relay_tickets (
    session TEXT NOT NULL,
    process INTEGER NOT NULL,
    arguments TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    PRIMARY KEY (session, process)
  )`);
}

/** Issues the session's only ticket; `false` if it was refused one in the last 10 s. */
export function issue(db: Database, { id, process, project }: CodeSession, ticket: Ticket, now: number): boolean {
  const refused = db.query("SELECT 1 FROM relay_tickets WHERE session = $id AND process = $process AND refused");
  if (refused.get({ id, process })) return false;
  db.query(
    `INSERT OR REPLACE INTO relay_tickets (session, process, project, arguments, issued_at)
     VALUES ($id, $process, $project, $ticket, $now)`,
  ).run({ id, process, project, ticket: JSON.stringify(ticket), now });
  return true;
}

/** Notes in the place of a ticket that the session asked for one and there was none. */
export function refuse(db: Database, { id, process }: CodeSession, now: number): null {
  db.query(
    `INSERT OR REPLACE INTO relay_tickets (session, process, arguments, refused, issued_at)
     VALUES ($id, $process, '', 1, $now)`,
  ).run({ id, process, now });
  return null;
}

/** Removes the session's ticket and answers it and its project; `null` if there is none. */
export function redeem(db: Database, { id, process }: CodeSession): (Ticket & Pick<Source, "project">) | null {
  const row = db
    .query<{ ticket: string; project: string | null }, { id: string; process: number }>(
      `DELETE FROM relay_tickets WHERE session = $id AND process = $process AND NOT refused
       RETURNING arguments AS ticket, project`,
    )
    .get({ id, process });
  return row && { ...(JSON.parse(row.ticket) as Ticket), project: row.project };
}

/** Removes expired tickets and refusals. A ticket from the future was issued before the clock was set back, and counts as expired. */
export function removeExpired(db: Database, now: number): void {
  db.query(
    "DELETE FROM relay_tickets WHERE issued_at <= $now - iif(refused, $refusal, $ticket) OR issued_at > $now",
  ).run({ now, refusal: refusalMs, ticket: ticketMs });
}

/** Whether there is any ticket. */
export function any(db: Database): boolean {
  return db.query("SELECT 1 FROM relay_tickets LIMIT 1").get() !== null;
}
