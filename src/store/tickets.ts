import type { Database } from "bun:sqlite";
import { ticketMilliseconds } from "../core/limits.ts";
import type { CodeSession } from "../core/store.ts";

/** Makes a session's only ticket. */
export function mint(db: Database, { id, process }: CodeSession, words: string, now: number): void {
  db.query("DELETE FROM relay_tickets WHERE session = $id AND process = $process").run({ id, process });
  db.query(
    "INSERT INTO relay_tickets (session, process, words, minted_at) VALUES ($id, $process, $words, $now)",
  ).run({ id, process, words, now });
}

/** Takes a session's ticket, of which nothing is left then, and answers its words. */
export function redeem(db: Database, { id, process }: CodeSession): string | null {
  const taken = db
    .query<{ words: string }, { id: string; process: number }>(
      "DELETE FROM relay_tickets WHERE session = $id AND process = $process RETURNING words",
    )
    .get({ id, process });
  return taken?.words ?? null;
}

/** Forgets expired tickets and their words. One stamped in the future was stamped before the clock was set back. */
export function forgetExpired(db: Database, now: number): void {
  db.query("DELETE FROM relay_tickets WHERE minted_at <= $now - $good OR minted_at > $now").run({
    now,
    good: ticketMilliseconds,
  });
}

/** Whether there is any ticket. */
export function anyLeft(db: Database): boolean {
  return db.query("SELECT 1 FROM relay_tickets LIMIT 1").get() !== null;
}
