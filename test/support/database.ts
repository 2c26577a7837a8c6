import { Database, type DatabaseOptions } from "bun:sqlite";

// Processes of relay's look at their buffer by themselves; the longest that anybody waited for one is 5.8 s (facts.md).
const patienceMilliseconds = 30_000;

/** Opens a file that processes of relay's may have open, too. Whoever finds it locked waits, and blocks this process. */
export function openPatiently(path: string, options?: DatabaseOptions): Database {
  const db = new Database(path, options);
  db.run(`PRAGMA busy_timeout = ${patienceMilliseconds}`);
  return db;
}
