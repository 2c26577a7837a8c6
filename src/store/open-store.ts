import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { type DatabaseSettings, type DatabaseUrl, findPassword, parseDatabaseUrl } from "../core/database-url.ts";
import { RelayError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import { acceptBufferFile } from "./file.ts";
import { PostgresStore } from "./postgres/postgres-store.ts";
import { SqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";

// A database answers a little later than a file.
const moreMs = 50;

/** The person's store: in the database that they chose, else in the file. Each method throws the error of that choice. */
export function openStore(options: SqliteStoreOptions & { database: () => DatabaseSettings }): Store {
  const { database, lockTimeoutMs } = options;
  try {
    const settings = database();
    const url = chosenDatabase(settings);
    if (!url) return new SqliteStore(options);
    const timeoutMs = lockTimeoutMs === undefined ? undefined : lockTimeoutMs + moreMs;
    return new PostgresStore({ ...options, url, machine: settings.machine, timeoutMs });
  } catch (error) {
    const locate = () => {
      throw error;
    };
    return new SqliteStore({ ...options, locate });
  }
}

/** The database in place of the file: that of `RELAY_DB`, else of `relay connect`; `null` if there is none. Throws RelayError. */
export function chosenDatabase(settings: DatabaseSettings): DatabaseUrl | null {
  const { url, savedUrl, systemUser } = settings;
  const text = url ?? (savedUrl === null ? null : readSavedUrl(savedUrl));
  return text === null ? null : withPassword(parseDatabaseUrl(text, systemUser), settings);
}

/** The database with the password that the URL leaves to `PGPASSWORD` or `~/.pgpass`. */
export function withPassword(database: DatabaseUrl, { password, passwordFile }: DatabaseSettings): DatabaseUrl {
  if (database.password !== null) return database;
  return { ...database, password: password ?? findPassword(readPasswords(passwordFile), database) };
}

// Most people have none, and opening a file that is not there costs next to nothing.
function readSavedUrl(path: string): string | null {
  try {
    closeSync(openSync(path, "r"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  }
  const file = acceptBufferFile(path);
  if (file === null) return null;
  if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0)
    throw new RelayError("buffer", `others can read ${path}, which may have a password`, `Run: chmod 600 ${path}`);
  return readFileSync(file, "utf8");
}

// PostgreSQL's own programs also take no password from a file that others can read.
function readPasswords(path: string | null): string {
  try {
    return path === null || (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0)
      ? ""
      : readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
