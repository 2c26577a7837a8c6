import { Database } from "bun:sqlite";
import type { SqliteFile, StoredRow } from "./sqlite-file.ts";
import type { StoredValue } from "./sqlite-record.ts";

/** A table as the schema describes it. */
export interface Table {
  root: number;
  /** The names of its columns; `null` if its statement is damaged. */
  columns: string[] | null;
}

/** What stands below a page, as far as it can be read. */
export interface Rows {
  rows: StoredRow[];
  pages: Set<number>;
  /** How many pages and rows cannot be made out. */
  unreadable: number;
}

/** The text of a value that is one; `null` for any other. */
export function textOf(value: StoredValue | undefined): string | null {
  return typeof value === "object" && value && "text" in value ? new TextDecoder().decode(value.text) : null;
}

/** The tables that the schema tells of, by their names. */
export function tablesOf(file: SqliteFile): Map<string, Table> {
  const tables = new Map<string, Table>();
  for (const { values } of rowsBelow(file, 1).rows) {
    const [type, name, , root, sql] = values;
    const title = textOf(name);
    if (textOf(type) !== "table" || title === null || typeof root !== "number") continue;
    tables.set(title, { root, columns: columnsOf(title, textOf(sql)) });
  }
  return tables;
}

/** All rows of the table with this root. */
export function rowsBelow(file: SqliteFile, root: number): Rows {
  const found: Rows = { rows: [], pages: new Set(), unreadable: 0 };
  const visit = (page: number) => {
    if (found.pages.has(page)) return; // a damaged page may lead anywhere
    const content = file.tablePage(page, true);
    if (!content) {
      found.unreadable += 1;
      return;
    }
    found.pages.add(page);
    found.unreadable += content.unreadable;
    found.rows.push(...content.rows);
    for (const child of content.children) visit(child);
  };
  visit(root);
  return found;
}

/** The rows in pages that are none of these. */
export function strayRows(file: SqliteFile, known: ReadonlySet<number>): StoredRow[] {
  const pages = Array.from({ length: file.pageCount }, (_, index) => index + 1);
  return pages.filter((page) => !known.has(page)).flatMap((page) => file.tablePage(page)?.rows ?? []);
}

// SQLite itself understands the statement; it is run in an empty database that lives no longer than this.
function columnsOf(name: string, sql: string | null): string[] | null {
  if (sql === null || !/^CREATE TABLE\b/i.test(sql)) return null;
  using db = new Database(":memory:", { strict: true });
  try {
    db.run(sql);
    const columns = db
      .query<{ name: string }, { name: string }>("SELECT name FROM pragma_table_info($name)")
      .all({ name });
    return columns.length > 0 ? columns.map((column) => column.name) : null;
  } catch {
    return null; // damaged, or a table that SQLite makes by itself
  }
}
