import { Database } from "bun:sqlite";
import type { Run } from "./run.ts";

/**
 * Defects to try the checker with: `--mutant NAMES`. A trigger in the file does there what a wrong statement of relay
 * would, whatever becomes of its source.
 */
export const mutants = {
  /** Some messages count as read before anybody was shown them. */
  "lost-message": `AFTER INSERT ON messages WHEN NEW.id % 2 = 0 BEGIN
    UPDATE messages SET read_by_desktop_at = 'lost', read_by_code_at = 'lost' WHERE id = NEW.id; END`,
  /** Some messages that leave the window are nowhere. */
  "lost-history": `AFTER INSERT ON relay_history WHEN NEW.id % 3 = 0 BEGIN
    DELETE FROM relay_history WHERE id = NEW.id; END`,
  /** Some messages count as unread after they were acknowledged. */
  "lost-ack": `AFTER UPDATE OF read_by_desktop_at, read_by_code_at ON messages
    WHEN NEW.id % 10 = 0 AND abs(random() % 2) BEGIN
    UPDATE messages SET read_by_desktop_at = NULL, read_by_code_at = NULL WHERE id = NEW.id; END`,
};

export type Mutant = keyof typeof mutants;

/** Plants a defect in every file that appears at the path, as long as the run lasts. */
export async function plant(run: Run, mutant: Mutant): Promise<never> {
  for (; ; await Bun.sleep(25)) {
    try {
      using db = new Database(run.place.buffer, { readwrite: true, create: false });
      db.run("PRAGMA busy_timeout = 100");
      db.run(`CREATE TRIGGER IF NOT EXISTS "${mutant}" ${mutants[mutant]}`);
    } catch {} // there is no table yet, or somebody writes
  }
}
