import { Database } from "bun:sqlite";
import { windowSize } from "../../src/core/limits.ts";

/** The least that a durable send can be: rows into the original's table, with relay's pragmas and nothing else. */
export interface Inserts {
  /** One transaction that stores a row. */
  insert(text: string): void;
  /** One transaction that stores a row and deletes the oldest beyond the window. */
  insertAndEvict(text: string): void;
  close(): void;
}

/** Creates the file at `path`. */
export function bareInserts(path: string): Inserts {
  const db = new Database(path, { create: true, strict: true });
  db.run(`PRAGMA journal_mode = TRUNCATE;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA secure_delete = ON;
    CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, message TEXT NOT NULL,
      timestamp TEXT NOT NULL, read_by_desktop_at TEXT, read_by_code_at TEXT)`);
  const store = db.query("INSERT INTO messages (sender, message, timestamp) VALUES ('code', $text, $now)");
  const evict = db.query(`DELETE FROM messages WHERE id <= last_insert_rowid() - ${windowSize}`);
  const durably = (work: () => void) => {
    db.run("BEGIN IMMEDIATE");
    work();
    db.run("COMMIT");
  };
  const row = (text: string) => ({ text, now: new Date().toISOString() });
  return {
    insert: (text) => durably(() => store.run(row(text))),
    insertAndEvict: (text) =>
      durably(() => {
        store.run(row(text));
        evict.run();
      }),
    close: () => db.close(),
  };
}
