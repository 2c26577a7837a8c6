import type { Database } from "bun:sqlite";
import { serverSeenMs } from "../core/limits.ts";
import { noteProject } from "./projects.ts";

/** What a store knows of servers: its own process, if that is one, and whether others run. */
export interface KnownServers {
  /** The number of this process if it is a server, which looks every two seconds for unannounced messages. */
  server?: number;
  /** The project of the Claude Code that this process serves. */
  project?: string | null;
  /** Whether a process of this number runs. */
  isRunning: (process: number) => boolean;
}

/** Whether this process is registered as it should be: a server that looks no more (`final`) is not. */
export function isSettled(db: Database, { server }: KnownServers, now: number, final: boolean): boolean {
  const isRegistered = registered(db, now).some(
    ({ process, age }) => process === server && age >= 0 && (final || age < serverSeenMs / 2),
  );
  return isRegistered === !final;
}

/** Registers this server, and answers whether one runs whose next look announces messages. `final`: this one looks no more. */
export function hasServer(db: Database, known: KnownServers, now: number, final = false): boolean {
  const { server, project = null, isRunning } = known;
  if (server !== undefined && !final) {
    if (isSettled(db, known, now, false)) return true;
    db.query("INSERT OR REPLACE INTO relay_servers (process, seen_at) VALUES ($server, $now)").run({ server, now });
    noteProject(db, project, now);
    return true;
  }
  if (server !== undefined) removeServer(db, server);
  const running = registered(db, now).filter(({ process, age }) => {
    if (age >= 0 && age < serverSeenMs && isRunning(process)) return true;
    removeServer(db, process);
    return false;
  });
  return running.length > 0;
}

/** Removes a server. */
export function removeServer(db: Database, process: number): void {
  db.query("DELETE FROM relay_servers WHERE process = $process").run({ process });
}

// A killed server is among them.
function registered(db: Database, now: number): { process: number; age: number }[] {
  const rows = db.query<{ process: number; age: number }, { now: number }>(
    "SELECT process, $now - seen_at AS age FROM relay_servers",
  );
  return rows.all({ now });
}
