import { Database } from "bun:sqlite";
import { statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { clients, clientTitle } from "../core/client.ts";
import { windowSize } from "../core/limits.ts";
import { shellWord } from "../setup/shell-words.ts";
import { acceptBufferFile, refuseMount } from "../store/file.ts";
import { counts } from "../store/messages.ts";
import { recognize } from "../store/schema.ts";
import { codeOf, explain, isBusy, isDamage } from "../store/sqlite-errors.ts";
import { type Finding, fail, failed, ok, type Subject, warn } from "./check.ts";

// A server holds its lock for a moment only.
const lockMilliseconds = 2_000;

/** The buffer: its path, owner and messages, and whether SQLite can trust its disk. */
export function checkBuffer({ bufferPath }: Pick<Subject, "bufferPath">): Finding[] {
  try {
    const path = bufferPath();
    const file = acceptBufferFile(path);
    if (file) refuseMount(file);
    const absent = ok("buffer", `${path} does not exist yet; the first message creates it`);
    return [...(file ? inspect(file, path) : [absent]), ...disk(dirname(file ?? path))];
  } catch (error) {
    return [failed("buffer", error)];
  }
}

// A check changes neither the mode nor the schema.
function inspect(file: string, path: string): Finding[] {
  try {
    using db = new Database(file, { readonly: true, strict: true });
    db.run(`PRAGMA busy_timeout = ${lockMilliseconds}`);
    const [check] = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").all();
    if (check?.integrity_check !== "ok") return [damaged(path, check?.integrity_check ?? "no answer")];
    const version = recognize(db, path);
    return describe(db, version, file, path);
  } catch (error) {
    if (isDamage(error)) return [damaged(path, "SQLite cannot read it")];
    // SQLite may not roll back an interrupted write while it only reads
    if (!isBusy(error) && !/^SQLITE_(READONLY|CANTOPEN)/.test(codeOf(error))) throw explain(error, path);
    const detail = `another program is writing ${path}, or crashed while it did`;
    return [warn("buffer", detail, `Run: relay status${flag(path)}, then this again.`)];
  }
}

// The person's shell may mean another file by itself.
function flag(path: string): string {
  return ` --db ${shellWord(path)}`;
}

function damaged(path: string, why: string): Finding {
  return fail("buffer", `${path} is damaged: ${why}`, `Run: relay doctor --repair${flag(path)}`);
}

function describe(db: Database, version: number, file: string, path: string): Finding[] {
  const { mode, uid } = statSync(file);
  const hasModes = process.platform !== "win32";
  const rights = hasModes ? `, mode ${(mode & 0o7777).toString(8).padStart(4, "0")}, uid ${uid}` : "";
  const finding = ok("buffer", `${path}${rights}, schema ${version}: ${contentOf(db)}`);
  if (!hasModes || (mode & 0o077) === 0) return [finding];
  return [
    finding,
    warn("buffer", `others can read ${path}`, `Run: relay status${flag(path)}, which makes it yours alone.`),
  ];
}

function contentOf(db: Database): string {
  try {
    const { total, history, unread } = counts(db);
    const unreadCounts = clients.map((client) => `${unread[client]} unread for ${clientTitle(client)}`);
    const older = history > 0 ? [`${history} in the history`] : [];
    return [`${total} of ${windowSize} messages`, ...unreadCounts, ...older].join(", ");
  } catch {
    return "made by an older relay or the Python server"; // it has fewer tables and columns
  }
}

// <linux/magic.h>
const oddKinds: Record<number, string> = {
  26985: "NFS",
  20859: "SMB",
  4283649346: "SMB",
  4266872130: "SMB",
  1702057286: "FUSE",
  16914839: "9P (a Windows disk seen from WSL, or a shared folder of a virtual machine)",
  2020557398: "a shared folder of VirtualBox",
  16914836: "memory, which is empty after the next start of the machine",
};

// SQLite's locks do not hold on network disks, nor between a virtual machine and its host.
function disk(folder: string): Finding[] {
  const isShare = process.platform === "win32" && folder.startsWith("\\\\");
  const kind = process.platform === "linux" ? oddKinds[statfsSync(folder).type] : isShare && "a network share";
  if (!kind) return [];
  const fix = "Set RELAY_DB to a file on a disk of this machine, and run: relay setup";
  return [warn("disk", `the buffer is on ${kind}`, fix)];
}
