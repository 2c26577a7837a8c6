import type { Database } from "bun:sqlite";
import { RelayError } from "../core/errors.ts";

/** Only a file with a newer major than this is refused; a newer minor has more than this binary knows, and no less. */
const major = 1;

/**
 * Each adds to the schema, and never changes or removes what an older binary or the original relies on. Each finds
 * its work done without harm: a buffer restored from an SQL dump has lost its version, not its columns.
 */
const migrations: readonly ((db: Database) => void)[] = [
  createMessages,
  addClaims,
  recordLosses,
  addAnnouncements,
  createTickets,
];

const current = major * 1000 + migrations.length;

/** Throws a `buffer` error unless the database is a buffer of this major, or becomes one. Changes nothing. */
export function recognize(db: Database, path: string): void {
  refuseNewer(db, path);
  refuseStranger(db, path, userVersion(db));
}

/** Throws a `buffer` error if a newer relay made this a file of its own major, perhaps while it was open here. */
export function refuseNewer(db: Database, path: string): void {
  const version = userVersion(db);
  if (Math.floor(version / 1000) <= major) return;
  throw new RelayError(
    "buffer",
    `${path} was written by a newer relay (schema ${version}). Upgrade this one.`,
  );
}

/** Whether the database has everything that this binary needs. */
export function isMigrated(db: Database): boolean {
  return userVersion(db) >= current;
}

/** Brings a database to this binary's schema in one transaction. Throws what {@link recognize} throws. */
export function migrate(db: Database, path: string): void {
  if (isMigrated(db)) return;
  db.run("BEGIN IMMEDIATE");
  try {
    const applied = userVersion(db); // another process may have been faster
    if (applied < current) {
      recognize(db, path);
      for (const migration of migrations.slice(Math.max(0, applied - major * 1000))) migration(db);
      db.run(`PRAGMA user_version = ${current}`);
    }
    db.run("COMMIT");
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    throw error;
  }
}

function createMessages(db: Database): void {
  // the original's statement, to the letter
  db.run(`CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sender TEXT NOT NULL,
    message TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    read_by_desktop_at TEXT,
    read_by_code_at TEXT
  )`);
  // early versions of the original lack these, and add them just so
  addColumn(db, "read_by_desktop_at TEXT");
  addColumn(db, "read_by_code_at TEXT");
}

function addClaims(db: Database): void {
  addColumn(db, "claim TEXT");
  addColumn(db, "claimed_at INTEGER");
  addColumn(db, "maybe_shown INTEGER NOT NULL DEFAULT 0");
}

// A trigger, so that what the original evicts or clears unread is told too.
function recordLosses(db: Database): void {
  db.run(`CREATE TABLE IF NOT EXISTS relay_losses (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    audience TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    sender TEXT NOT NULL,
    cleared_by TEXT,
    claim TEXT,
    claimed_at INTEGER
  )`);
  db.run(`CREATE TRIGGER IF NOT EXISTS relay_record_loss AFTER DELETE ON messages
    WHEN (OLD.sender = 'desktop' AND OLD.read_by_code_at IS NULL)
      OR (OLD.sender = 'code' AND OLD.read_by_desktop_at IS NULL)
    BEGIN
      INSERT INTO relay_losses (audience, message_id, sender) VALUES ('desktop', OLD.id, OLD.sender);
      INSERT INTO relay_losses (audience, message_id, sender) VALUES ('code', OLD.id, OLD.sender);
    END`);
}

// What is there when a buffer is taken over is old news.
function addAnnouncements(db: Database): void {
  const takenOver = addColumn(db, "notified_at TEXT");
  addColumn(db, "notify_lease TEXT");
  addColumn(db, "notify_claimed_at INTEGER");
  addColumn(db, "notify_tries INTEGER NOT NULL DEFAULT 0");
  if (takenOver) db.run("UPDATE messages SET notified_at = timestamp");
  db.run(`CREATE TABLE IF NOT EXISTS relay_readers (
    client TEXT PRIMARY KEY,
    notify INTEGER,
    sound TEXT,
    lease TEXT,
    leased_at INTEGER
  )`);
}

function createTickets(db: Database): void {
  db.run(`CREATE TABLE IF NOT EXISTS relay_tickets (
    session TEXT NOT NULL,
    process INTEGER NOT NULL,
    words TEXT NOT NULL,
    minted_at INTEGER NOT NULL
  )`);
}

/** Answers whether the column was not there before. */
function addColumn(db: Database, definition: string): boolean {
  const name = definition.slice(0, definition.indexOf(" "));
  if (columnsOf(db).has(name)) return false;
  db.run(`ALTER TABLE messages ADD COLUMN ${definition}`);
  return true;
}

function userVersion(db: Database): number {
  return db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

function columnsOf(db: Database): Set<string> {
  return new Set(
    db
      .query<{ name: string }, []>("SELECT name FROM pragma_table_info('messages')")
      .all()
      .map((column) => column.name),
  );
}

// Some other program's database must never gain our tables because RELAY_DB named it by mistake.
function refuseStranger(db: Database, path: string, version: number): void {
  const tables = db.query<{ n: number }, []>("SELECT count(*) AS n FROM sqlite_schema").get()?.n ?? 0;
  const columns = columnsOf(db);
  const ours = ["id", "sender", "message", "timestamp"].every((column) => columns.has(column));
  const plausible = version === 0 || Math.floor(version / 1000) === major;
  if (plausible && (tables === 0 || ours)) return;
  throw new RelayError(
    "buffer",
    `${path} is some other program's database, not a relay buffer. Set RELAY_DB to another file, or move this one away.`,
  );
}
