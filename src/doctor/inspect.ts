import { Database } from "bun:sqlite";
import { statfsSync, statSync } from "node:fs";
import type { Counts } from "../core/store.ts";
import { acceptBufferFile } from "../store/file.ts";
import * as messages from "../store/messages.ts";
import { recognize } from "../store/schema.ts";
import { explain, isBusy } from "../store/sqlite-errors.ts";

// A server holds its lock for a moment only.
const patienceMilliseconds = 2_000;

/** What a look at the buffer found. */
export interface Inspection {
  /** The file itself, links followed. */
  file: string;
  mode: number;
  owner: number;
  schema: number;
  /** `null` for a buffer of an early version of the original, which knows less. */
  counts: Counts | null;
  /** What SQLite finds wrong with it; `null` if nothing. */
  damage: string | null;
  /** Somebody is writing into it, or a crash left something to be undone: nothing more is known. */
  busy: boolean;
}

/**
 * Looks at the buffer without changing it, its mode and schema included. `null` if there is none. Throws a `buffer` error
 * if it may not be the buffer, or is another program's.
 */
export function inspectBuffer(path: string): Inspection | null {
  const file = acceptBufferFile(path);
  if (!file) return null;
  const { mode, uid } = statSync(file);
  const seen = { file, mode: mode & 0o7777, owner: uid, schema: 0, counts: null, damage: null, busy: false };
  let db: Database | undefined;
  try {
    db = new Database(file, { readonly: true, strict: true });
    db.run(`PRAGMA busy_timeout = ${patienceMilliseconds}`);
    const [check] = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").all();
    const finding = check?.integrity_check ?? "no answer";
    if (finding !== "ok") return { ...seen, damage: finding };
    recognize(db, path);
    return { ...seen, schema: schemaOf(db), counts: countsOf(db) };
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return { ...seen, damage: "SQLite cannot read it" };
    // read-only, SQLite undoes nothing that a crash left
    if (isBusy(error) || /^SQLITE_(READONLY|CANTOPEN)/.test(code)) return { ...seen, busy: true };
    throw explain(error, path);
  } finally {
    db?.close();
  }
}

function schemaOf(db: Database): number {
  return db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

function countsOf(db: Database): Counts | null {
  try {
    return messages.counts(db);
  } catch {
    return null;
  }
}

// <linux/magic.h> and the sources of the file systems.
const oddKinds: Record<number, string> = {
  26985: "NFS",
  20859: "SMB",
  4283649346: "SMB",
  4266872130: "SMB",
  1702057286: "FUSE",
  16914839: "9P (a Windows disk seen from WSL, or a shared folder of a virtual machine)",
  2020557398: "a shared folder of VirtualBox",
  1397113167: "AFS",
  12805120: "Ceph",
  16914836: "memory, and gone with the next start of the machine",
};

/**
 * What is odd about the disk on which this folder is: SQLite's locks do not hold on network disks, nor across the
 * border of a virtual machine. `null` if nothing is, or the system does not tell.
 */
export function oddDisk(folder: string): string | null {
  if (process.platform === "win32") return folder.startsWith("\\\\") ? "a network share" : null;
  if (process.platform !== "linux") return null;
  return oddKinds[statfsSync(folder).type] ?? null;
}
