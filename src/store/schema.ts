import type { Database } from "bun:sqlite";
import { RelayError } from "../core/errors.ts";
import { createFiles } from "./attached-files.ts";
import { recordDrops } from "./dropped.ts";
import { createHistory, keepHistory } from "./history.ts";
import { createProjects } from "./projects.ts";
import { createTickets } from "./tickets.ts";

// A newer minor version only adds to the schema, so only a newer major one is refused.
const major = 1;

/**
 * Migrations in order. Each adds to the schema, and keeps everything that an older binary or the original relies on. Each
 * may run again: a buffer restored from an SQL dump has lost its version, but not its columns.
 */
const migrations: readonly ((db: Database) => void)[] = [
  createMessages,
  renameUnreleased,
  addLeases,
  recordDropped,
  addNotifications,
  createTickets,
  addDeliveries,
  addTyped,
  addProjects,
  createHistory,
  createTriggers,
  createFiles,
];

const current = major * 1000 + migrations.length;

/**
 * The version of a buffer's schema; 0 for an empty database. Throws a `buffer` error for any other database, and for a
 * newer major version. Changes nothing.
 */
export function recognize(db: Database, path: string): number {
  const version = userVersion(db);
  refuseNewer(version, path);
  const isPlausible = version === 0 || Math.floor(version / 1000) === major;
  // RELAY_DB may name another program's database by mistake, which must not get relay's tables
  if (isPlausible && (hasTable(db, "relay_servers") || isEmptyOrOriginal(db))) return version;
  throw new RelayError(
    "buffer",
    `${path} is another program's database, not a relay buffer`,
    "Set RELAY_DB to another file, or move this one away.",
  );
}

/** Whether the database has the schema of this binary, or more. Throws a `buffer` error for a newer major version. */
export function isCurrent(db: Database, path: string): boolean {
  const version = userVersion(db);
  refuseNewer(version, path);
  return version >= current;
}

/** Brings a database of this version to this binary's schema in one transaction. Throws as {@link recognize}. */
export function migrate(db: Database, path: string, version: number): void {
  if (version >= current) return;
  db.run("BEGIN IMMEDIATE");
  try {
    // another process may have migrated it
    if (recognize(db, path) < current) {
      for (const migration of migrations) migration(db);
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
  // early versions of the original lack these, and later ones add them by the same statements
  addColumn(db, "read_by_desktop_at TEXT");
  addColumn(db, "read_by_code_at TEXT");
}

// Columns and tables had other names before the first release.
function renameUnreleased(db: Database): void {
  const columns = columnsOf(db);
  const renamed = {
    claim: "lease_id",
    claimed_at: "leased_at",
    maybe_shown: "redelivered",
    notify_lease: "notification_lease",
    notify_claimed_at: "notification_leased_at",
    notify_tries: "notification_attempts",
  };
  for (const [before, now] of Object.entries(renamed))
    if (columns.has(before)) db.run(`ALTER TABLE messages RENAME COLUMN ${before} TO ${now}`);
  if (hasTable(db, "relay_losses")) {
    recordDropped(db);
    db.run(`INSERT OR IGNORE INTO relay_dropped (message_id, reader, cleared_by)
      SELECT message_id, audience, nullif(cleared_by, 'damage') FROM relay_losses
      WHERE (audience = 'desktop' AND sender = 'code') OR (audience = 'code' AND sender = 'desktop')`);
    db.run("DROP TRIGGER IF EXISTS relay_record_loss");
    db.run("DROP TABLE relay_losses");
  }
  if (hasTable(db, "relay_readers")) {
    addNotifications(db);
    db.run(`INSERT OR IGNORE INTO relay_clients (client, notify, sound)
      SELECT client, notify, sound FROM relay_readers`);
    db.run("DROP TABLE relay_readers");
  }
  if (hasTable(db, "relay_tickets") && columnsOf(db, "relay_tickets").has("words")) db.run("DROP TABLE relay_tickets"); // a ticket lives for seconds
}

function addLeases(db: Database): void {
  addColumn(db, "lease_id TEXT");
  addColumn(db, "leased_at INTEGER");
  addColumn(db, "redelivered INTEGER NOT NULL DEFAULT 0");
}

function recordDropped(db: Database): void {
  db.run(`CREATE TABLE IF NOT EXISTS relay_dropped (
    message_id INTEGER PRIMARY KEY,
    reader TEXT NOT NULL,
    cleared_by TEXT
  )`);
}

function addNotifications(db: Database): void {
  const isNew = addColumn(db, "notified_at TEXT");
  addColumn(db, "notification_lease TEXT");
  addColumn(db, "notification_leased_at INTEGER");
  addColumn(db, "notification_attempts INTEGER NOT NULL DEFAULT 0");
  if (isNew) db.run("UPDATE messages SET notified_at = timestamp"); // the original's messages are old
  db.run(`CREATE TABLE IF NOT EXISTS relay_clients (
    client TEXT PRIMARY KEY,
    notify INTEGER,
    sound TEXT,
    notification_lease TEXT,
    notification_leased_at INTEGER
  )`);
  db.run("CREATE TABLE IF NOT EXISTS relay_servers (process INTEGER PRIMARY KEY, seen_at INTEGER NOT NULL)");
}

function addDeliveries(db: Database): void {
  addColumn(db, "project TEXT", "relay_tickets");
  addColumn(db, "refused INTEGER NOT NULL DEFAULT 0", "relay_tickets");
  db.run(`CREATE TABLE IF NOT EXISTS relay_deliveries (
    reader TEXT PRIMARY KEY,
    messages INTEGER NOT NULL,
    delivered_at TEXT NOT NULL,
    origin TEXT NOT NULL,
    project TEXT
  )`);
}

function addTyped(db: Database): void {
  addColumn(db, "typed_in TEXT");
}

function addProjects(db: Database): void {
  addColumn(db, "project TEXT");
  addColumn(db, "reply_to INTEGER");
  addColumn(db, "project TEXT", "relay_dropped");
  createProjects(db);
}

// They see what the original evicts or clears, too. An older relay's trigger knows no project.
function createTriggers(db: Database): void {
  recordDrops(db);
  keepHistory(db);
}

/** Adds a column, and answers whether it is new. */
function addColumn(db: Database, definition: string, table = "messages"): boolean {
  const name = definition.slice(0, definition.indexOf(" "));
  if (columnsOf(db, table).has(name)) return false;
  db.run(`ALTER TABLE ${table} ADD COLUMN ${definition}`);
  return true;
}

function userVersion(db: Database): number {
  return db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

// SQLite takes a third of a millisecond to look at the columns, which every command on relay's own file is spared.
function isEmptyOrOriginal(db: Database): boolean {
  const found = db
    .query<{ tables: number; columns: number }, []>(
      `SELECT (SELECT count(*) FROM sqlite_schema) AS tables, (SELECT count(*) FROM pragma_table_info('messages')
         WHERE name IN ('id', 'sender', 'message', 'timestamp')) AS columns`,
    )
    .get();
  return found?.tables === 0 || found?.columns === 4;
}

function hasTable(db: Database, name: string): boolean {
  return db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $name").get({ name }) !== null;
}

function columnsOf(db: Database, table = "messages"): Set<string> {
  const columns = db.query<{ name: string }, { table: string }>("SELECT name FROM pragma_table_info($table)");
  return new Set(columns.all({ table }).map(({ name }) => name));
}

function refuseNewer(version: number, path: string): void {
  if (Math.floor(version / 1000) <= major) return;
  throw new RelayError("buffer", `${path} was written by a newer relay (schema ${version})`, "Upgrade this one.");
}
