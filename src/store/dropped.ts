import type { Database } from "bun:sqlite";
import { type Client, clients, otherClient } from "../core/client.ts";
import type { ClearedBy, Loss } from "../core/store.ts";
import { claimStands } from "./messages.ts";

// However long nobody asked, one page or receipt tells of no more losses than this; the rest follow on the next.
const lossesAtOnce = 1_000;

// Rows of this audience, which is no client, say of lost messages that they arrived after all: whoever was told of the loss
// meanwhile, and takes that back, must not be told again. So many losses later nobody takes anything back.
const arrivedAudience = "arrived";
const rememberedLosses = 10_000;

/** A loss and its place in the record, which the trigger in schema.ts writes. */
interface RecordedLoss extends Loss {
  number: number;
}

/** The losses this client was not told of, oldest first; `own` leaves those of messages it wrote. */
export function untold(db: Database, audience: Client, now: number, own = false): RecordedLoss[] {
  return db
    .query<RecordedLoss, { audience: Client; now: number }>(
      `SELECT number, message_id AS id, sender, cleared_by FROM relay_losses
       WHERE audience = $audience ${own ? "AND sender = $audience" : ""} AND NOT ${claimStands}
       ORDER BY number LIMIT ${lossesAtOnce}`,
    )
    .all({ audience, now });
}

/** Puts a claim on losses that are about to be told. */
export function claim(db: Database, claim: string, losses: readonly RecordedLoss[], now: number): void {
  if (losses.length === 0) return;
  db.query(
    `UPDATE relay_losses SET claim = $claim, claimed_at = $now
     WHERE number IN (SELECT value FROM json_each($numbers))`,
  ).run({ claim, now, numbers: JSON.stringify(losses.map((loss) => loss.number)) });
}

/** Starts the claim's time anew. */
export function renew(db: Database, claim: string, now: number): void {
  db.query("UPDATE relay_losses SET claimed_at = $now WHERE claim = $claim").run({ claim, now });
}

/** Forgets what the claim holds, now that it was told, and the loss of messages that arrived after all. */
export function deliver(db: Database, claim: string, arrived: readonly number[]): void {
  const ids = JSON.stringify(arrived);
  db.query(
    `DELETE FROM relay_losses WHERE claim = $claim OR message_id IN (SELECT value FROM json_each($ids))
     OR (audience = '${arrivedAudience}' AND number <= (SELECT max(number) FROM relay_losses) - ${rememberedLosses})`,
  ).run({ claim, ids });
  db.query(
    `INSERT INTO relay_losses (audience, message_id, sender) SELECT '${arrivedAudience}', value, ''
     FROM json_each($ids) WHERE value NOT IN (SELECT id FROM messages)`,
  ).run({ ids });
}

/** Lifts the claim: the losses are to be told again. */
export function withdraw(db: Database, claim: string): void {
  db.query("UPDATE relay_losses SET claim = NULL, claimed_at = NULL WHERE claim = $claim").run({ claim });
}

/** Records again what was told to nobody after all, unless it arrived meanwhile, or is to be told anyway. */
export function restore(db: Database, audience: Client, losses: readonly Loss[]): void {
  for (const { id, sender, cleared_by } of losses) {
    db.query(
      `INSERT INTO relay_losses (audience, message_id, sender, cleared_by)
       SELECT $audience, $id, $sender, $cleared_by WHERE NOT EXISTS
         (SELECT 1 FROM relay_losses WHERE audience IN ($audience, '${arrivedAudience}') AND message_id = $id)`,
    ).run({ audience, id, sender, cleared_by });
  }
}

/**
 * Records the loss of messages that were taken back from their reader and are not there any more to be offered again.
 * They counted as read when they went, so nobody noted why; a full window is the usual reason.
 */
export function recordMissing(db: Database, reader: Client, ids: readonly number[]): void {
  db.query(
    `DELETE FROM relay_losses WHERE audience = '${arrivedAudience}' AND message_id IN (SELECT value FROM json_each($ids))`,
  ).run({ ids: JSON.stringify(ids) });
  db.query(
    `INSERT INTO relay_losses (audience, message_id, sender)
     SELECT audience.value, missing.value, $sender
     FROM json_each($ids) AS missing, json_each($clients) AS audience
     WHERE missing.value NOT IN (SELECT id FROM messages) AND NOT EXISTS
       (SELECT 1 FROM relay_losses AS known WHERE known.audience = audience.value AND message_id = missing.value)`,
  ).run({ ids: JSON.stringify(ids), clients: JSON.stringify(clients), sender: otherClient(reader) });
}

/** Runs a clear, and records who did it on every loss it causes; whoever cleared needs no telling. */
export function clearing<T>(db: Database, by: ClearedBy, clear: () => T): T {
  const before =
    db.query<{ n: number }, []>("SELECT coalesce(max(number), 0) AS n FROM relay_losses").get()?.n ?? 0;
  const result = clear();
  db.query("UPDATE relay_losses SET cleared_by = $by WHERE number > $before").run({ by, before });
  db.query("DELETE FROM relay_losses WHERE number > $before AND audience = $by").run({ by, before });
  return result;
}
