import { readFileSync, statSync, writeFileSync } from "node:fs";
import { openPatiently } from "./database.ts";

/** A row of the window or the history. */
export interface Row {
  id: number;
  sender: string;
  message: string;
  timestamp: string;
  read_by_desktop_at: string | null;
  read_by_code_at: string | null;
  typed_in: string | null;
  project: string | null;
  reply_to: number | null;
}

const columns = "id, sender, message, timestamp, read_by_desktop_at, read_by_code_at, typed_in, project, reply_to";

/** Every message that SQLite reads by its id, from 1 to 60. */
export function readableRows(path: string, table: "messages" | "relay_history" = "messages"): Row[] {
  using db = openPatiently(path, { readonly: true });
  const extra = table === "messages" ? "" : ", left_at, bytes";
  const rows = Array.from({ length: 60 }, (_, index) => {
    try {
      return db.query<Row, [number]>(`SELECT ${columns}${extra} FROM ${table} WHERE id = ?`).get(index + 1);
    } catch {
      return null; // this one is damaged
    }
  });
  return rows.filter((row) => row !== null);
}

/** What SQLite finds wrong with a file; `ok` if nothing. */
export function integrityOf(path: string): string {
  using db = openPatiently(path, { readonly: true });
  const [first] = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
  return first?.integrity_check ?? "no answer";
}

/** The page at which a table or an index begins. */
export function rootOf(path: string, name: string): number {
  using db = openPatiently(path, { readonly: true });
  const row = db.query<{ rootpage: number }, [string]>("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(name);
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
