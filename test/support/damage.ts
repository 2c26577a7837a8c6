import { readFileSync, statSync, writeFileSync } from "node:fs";
import { openPatiently } from "./database.ts";

/** A row of the table `messages`, with what relay added. */
export type Row = Record<string, unknown> & { id: number; message: string };

/** Every message in a buffer file, in order. Throws where SQLite cannot read it. */
export function rowsOf(path: string): Row[] {
  using db = openPatiently(path, { readonly: true });
  return db.query<Row, []>("SELECT * FROM messages ORDER BY id").all();
}

/** The number that the next message has, by SQLite's own account. */
export function sequenceOf(path: string): number {
  using db = openPatiently(path, { readonly: true });
  return (
    db.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").get()?.seq ?? 0
  );
}

/** The page at which a table begins. */
export function rootOf(path: string, table: string): number {
  using db = openPatiently(path, { readonly: true });
  const row = db
    .query<{ rootpage: number }, { table: string }>("SELECT rootpage FROM sqlite_schema WHERE name = $table")
    .get({ $table: table } as never);
  return row?.rootpage ?? 0;
}

/** Overwrites bytes of a file, as a failing disk would, and leaves its mode alone. */
export function overwrite(path: string, place: number, bytes: Uint8Array): void {
  const { mode } = statSync(path);
  const all = readFileSync(path);
  all.set(bytes.subarray(0, Math.max(0, all.length - place)), place);
  writeFileSync(path, all, { mode });
}

/** Fills a whole page. */
export function wipe(path: string, page: number, byte = 0): void {
  overwrite(path, (page - 1) * 4096, new Uint8Array(4096).fill(byte));
}
