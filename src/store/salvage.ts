import { isClient } from "../core/client.ts";
import { pageSizes, type SqliteFile, type StoredRow, sqliteFile } from "./sqlite-file.ts";
import type { StoredValue } from "./sqlite-record.ts";
import { type Rows, rowsBelow, strayRows, type Table, tablesOf, textOf } from "./sqlite-tables.ts";

/** A row to be written again: values by the names of their columns. */
export type SavedRow = Record<string, StoredValue>;

/** What can be read of a damaged buffer. */
export interface Salvage {
  messages: SavedRow[];
  /** Messages of which only the beginning can be read. */
  cut: { id: number; sender: string }[];
  /** How many pages and rows that may have held messages cannot be made out at all. */
  unreadable: number;
  losses: SavedRow[];
  readers: SavedRow[];
  /** No message had a higher id than this. */
  lastId: number;
}

// In the order in which the original and schema.ts add them.
const messageColumns = [
  ...["id", "sender", "message", "timestamp", "read_by_desktop_at", "read_by_code_at"],
  ...["claim", "claimed_at", "maybe_shown"],
  ...["notified_at", "notify_lease", "notify_claimed_at", "notify_tries"],
];
const lossColumns = ["number", "audience", "message_id", "sender", "cleared_by", "claim", "claimed_at"];
const readerColumns = ["client", "notify", "sound", "lease", "leased_at"];

// Where nobody can say any more which ids were given: far more than are given between two looks at a buffer.
const idMargin = 1_000;

/**
 * Finds what can be read in a damaged buffer: below the roots of its tables, and in pages that nothing leads to any
 * more. `null` if nothing says that this was a buffer: it may be any other file.
 */
export function salvage(bytes: Uint8Array): Salvage | null {
  const best = (one: Salvage | null, other: Salvage | null) =>
    (other?.messages.length ?? -1) > (one?.messages.length ?? -1) ? other : one;
  const [told = 4096, ...others] = pageSizes(bytes);
  const asTold = salvagePages(sqliteFile(bytes, told));
  if (asTold && asTold.messages.length > 0 && asTold.cut.length + asTold.unreadable === 0) return asTold;
  return others.map((size) => salvagePages(sqliteFile(bytes, size))).reduce(best, asTold);
}

function salvagePages(file: SqliteFile): Salvage | null {
  const tables = tablesOf(file);
  if (tables.size > 0 && !isBuffer(tables)) return null;
  const below = (name: string): Rows => {
    const table = tables.get(name);
    return table ? rowsBelow(file, table.root) : { rows: [], pages: new Set(), unreadable: 0 };
  };
  const free = file.freePages();
  const reached = [...tables.keys()].map((name) => below(name).pages);
  const stray = strayRows(file, new Set([...(free ?? []), ...reached.flatMap((pages) => [...pages])]));

  const { rows, unreadable } = below("messages");
  const columns = tables.get("messages")?.columns ?? messageColumns;
  // a page that was emptied long ago looks the same, and only the list of those tells
  const doubt = free === null ? { maybe_shown: 1 } : {};
  const found = sortOut([
    ...rows.map((row) => named(columns, row)),
    ...stray.filter(looksLikeMessage).map((row) => ({ ...named(messageColumns, row), ...doubt })),
  ]);
  if (tables.size === 0 && found.messages.length + found.cut.length === 0) return null;

  const losses = [...below("relay_losses").rows, ...stray].filter(looksLikeLoss);
  const readers = [...below("relay_readers").rows, ...stray].filter(looksLikeReader);
  const sequence = [...below("sqlite_sequence").rows, ...stray].filter(looksLikeSequence);
  const result = {
    cut: found.cut,
    unreadable: unreadable + found.unreadable,
    losses: firstOfEach(
      losses.map((row) => named(lossColumns, row)),
      "number",
    ),
    readers: firstOfEach(
      readers.map((row) => named(readerColumns, row)),
      "client",
    ),
  };
  const ids = [...found.messages, ...found.cut].map(({ id }) => Number(id));
  const highest = Math.max(0, ...ids, ...result.losses.map((row) => Number(row.message_id)));
  const given = sequence.map(({ values }) => Number(values[1]));
  const lastId = given.length > 0 ? Math.max(highest, ...given) : highest + idMargin;
  const renumbered = found.homeless.map((row, index) => ({ ...row, id: lastId + 1 + index, maybe_shown: 1 }));
  return { ...result, messages: [...found.messages, ...renumbered], lastId: lastId + renumbered.length };
}

// As schema.ts recognises one; part of the schema may be gone.
function isBuffer(tables: Map<string, Table>): boolean {
  const columns = tables.get("messages")?.columns ?? [];
  const isOurs = ["id", "sender", "message", "timestamp"].every((name) => columns.includes(name));
  return isOurs || ["relay_losses", "relay_readers", "relay_tickets"].some((name) => tables.has(name));
}

interface Sorted {
  messages: SavedRow[];
  cut: Salvage["cut"];
  /** Whole messages whose id is damaged: it is none, or another message's. */
  homeless: SavedRow[];
  unreadable: number;
}

/** Tells whole messages from what is left of others. The first of those that are the same counts. */
function sortOut(rows: SavedRow[]): Sorted {
  const byId = new Map<number, SavedRow>();
  const cut = new Map<number, string>();
  const sorted: Sorted = { messages: [], cut: [], homeless: [], unreadable: 0 };
  for (const row of rows) {
    const id = typeof row.id === "number" ? row.id : null;
    const sender = textOf(row.sender);
    const isCut = row.message === undefined;
    if (sender === null || row.message === null || (isCut && id === null)) sorted.unreadable += 1;
    else if (isCut) cut.set(Number(id), sender);
    else {
      const whole = completed(row);
      const same = id === null ? undefined : byId.get(id);
      if (id !== null && !same) byId.set(id, whole);
      else if (!same || !isSameMessage(same, whole)) sorted.homeless.push(whole);
    }
  }
  sorted.messages = [...byId.values()].sort((a, b) => Number(a.id) - Number(b.id));
  sorted.cut = [...cut].filter(([id]) => !byId.has(id)).map(([id, sender]) => ({ id, sender }));
  return sorted;
}

// What stands after a long text may be gone with the last page of it: then nobody knows who read it.
function completed(row: SavedRow): SavedRow {
  return row.timestamp === undefined || row.timestamp === null
    ? { ...row, timestamp: { text: new TextEncoder().encode("unknown") }, maybe_shown: 1 }
    : row;
}

function isSameMessage(one: SavedRow, other: SavedRow): boolean {
  return textOf(one.sender) === textOf(other.sender) && Bun.deepEquals(one.message, other.message);
}

/** The values by the names of the columns that relay knows. The rowid stands for an id that is NULL. */
function named(columns: readonly string[], { rowid, values }: StoredRow): SavedRow {
  const known = new Set([...messageColumns, ...lossColumns, ...readerColumns]);
  const entries = values.map((value, index) => [columns[index] ?? "", value] as const);
  const row: SavedRow = Object.fromEntries(entries.filter(([name]) => known.has(name)));
  for (const key of ["id", "number"]) if (row[key] === null) row[key] = rowid;
  return row;
}

function firstOfEach(rows: SavedRow[], key: string): SavedRow[] {
  const first = new Map<string, SavedRow>();
  for (const row of rows) {
    const value = row[key];
    const name = textOf(value) ?? String(value);
    if (!first.has(name)) first.set(name, row);
  }
  return [...first.values()];
}

function looksLikeMessage({ values, whole }: StoredRow): boolean {
  const [id, sender, , time] = values;
  if (id !== null || !isClient(textOf(sender))) return false;
  return whole ? /^\d{4}-\d\d-\d\d/.test(textOf(time) ?? "") : values.length <= 4 || textOf(time) !== null;
}

function looksLikeLoss({ values }: StoredRow): boolean {
  const [number, audience, id, sender] = values;
  return (
    values.length === lossColumns.length &&
    number === null &&
    isClient(textOf(audience)) &&
    typeof id === "number" &&
    isClient(textOf(sender))
  );
}

function looksLikeReader({ values }: StoredRow): boolean {
  const [client, notify] = values;
  return (
    values.length === readerColumns.length &&
    isClient(textOf(client)) &&
    (notify === null || typeof notify === "number")
  );
}

function looksLikeSequence({ values }: StoredRow): boolean {
  const [table, last] = values;
  return values.length === 2 && textOf(table) === "messages" && typeof last === "number" && last > 0;
}
