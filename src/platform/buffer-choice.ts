import { isAbsolute, join } from "node:path";
import { type DatabaseSettings, isDatabaseUrl } from "../core/database-url.ts";
import { RelayError } from "../core/errors.ts";
import { defaultBufferPath } from "./paths.ts";

type Variables = Record<string, string | undefined>;

/** Reads the settings of a person with this home folder. */
export function databaseSettings(variables: Variables, home: string | null): DatabaseSettings {
  const override = variables.RELAY_DB;
  // setup writes the default path into each Claude's configuration
  const isDefault = home !== null && (!override || override === defaultBufferPath(home));
  return {
    url: override && isDatabaseUrl(override) ? override : null,
    savedUrl: isDefault ? savedUrlPath(home) : null,
    systemUser: variables.USER || variables.LOGNAME || variables.USERNAME || "postgres",
    password: variables.PGPASSWORD || null,
    passwordFile: home && join(home, ".pgpass"),
    machine: () => `${process.getBuiltinModule("node:os").hostname()} ${process.platform}`,
  };
}

/** The path of the file in which `relay connect` keeps the database's URL. */
export function savedUrlPath(home: string): string {
  return join(home, ".relay_url");
}

/**
 * The path of the buffer file, which waits for its time if a database is chosen. A relative path would mean another buffer
 * in every directory, and messages that silently never arrive. Throws a `buffer` error for one, and without a home.
 */
export function bufferPath({ RELAY_DB: override }: Variables, home: string | null): string {
  if (override && !isDatabaseUrl(override)) {
    if (isAbsolute(override)) return override;
    throw new RelayError(
      "buffer",
      `RELAY_DB is "${override.replace(/\/\/.*@/s, "//…@")}", which is neither an absolute path nor a postgres:// URL`,
      "Write it out from the root.",
    );
  }
  if (home) return defaultBufferPath(home);
  throw new RelayError(
    "buffer",
    "there is no home folder to keep the buffer in",
    "Set HOME, or RELAY_DB to a file's absolute path.",
  );
}
