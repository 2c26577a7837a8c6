import { RelayError } from "./errors.ts";

const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;

/** How a connection is encrypted, in PostgreSQL's words. */
type SslMode = (typeof sslModes)[number];

/** A PostgreSQL database, and how to get in. */
export interface DatabaseUrl {
  /** A name or address, or the absolute path of a socket's folder. */
  host: string;
  port: number;
  database: string;
  user: string;
  /** `null` if the URL has none: it may be elsewhere, or not needed. */
  password: string | null;
  ssl: SslMode;
  /** The path of the certificate of the authority to trust; `null` for the usual ones. */
  rootCertificate: string | null;
}

/** Where a database and its password may be named. */
export interface DatabaseSettings {
  /** The URL in `RELAY_DB`; `null` if there is none. */
  url: string | null;
  /** The path of the file with the URL that `relay connect` keeps; `null` if `RELAY_DB` takes its place. */
  savedUrl: string | null;
  /** The user of this machine, who is the database's if the URL names none. */
  systemUser: string;
  /** `PGPASSWORD`. */
  password: string | null;
  /** The path of PostgreSQL's file of passwords. */
  passwordFile: string | null;
  /** A name for this machine, where processes have their numbers: a Windows and its WSL are two. */
  machine: () => string;
}

/** Whether a text names a database rather than a file. */
export function isDatabaseUrl(text: string): boolean {
  return /^postgres(?:ql)?:/i.test(text);
}

/**
 * Reads a URL as libpq does (postgresql.org/docs/current/libpq-connect.html). Throws a `usage` error, which says nothing of
 * the URL: it may have a password.
 */
export function parseDatabaseUrl(text: string, systemUser: string): DatabaseUrl {
  const trimmed = text.trim();
  if (!isDatabaseUrl(trimmed)) throw refused("does not begin with postgres://", "relay knows no other databases.");
  const url = URL.parse(trimmed.replace(/^postgres(?:ql)?:/i, "postgres:"));
  // what stands before an "@" is a password, even where its start looks like a port
  if (!url || /@/.test(url.pathname + url.search))
    throw refused("cannot be read", 'Write "@", "/", "#", "?" and ":" in a password as %40, %2F, %23, %3F and %3A.');
  const known = ["host", "port", "user", "password", "dbname", "sslmode", "sslrootcert"];
  const unknown = [...url.searchParams.keys()].find((name) => !known.includes(name));
  if (unknown) throw refused(`has "${unknown}", which relay does not know`, `It knows ${known.join(", ")}.`);
  const part = (name: string, inUrl: string) => url.searchParams.get(name) ?? decode(inUrl);
  const user = part("user", url.username) || systemUser;
  const port = part("port", url.port) || "5432";
  const ssl = (url.searchParams.get("sslmode") ?? "prefer") as SslMode;
  if (!/^\d{1,5}$/.test(port)) throw refused(`has the port "${port}"`, "A port is a number.");
  if (!sslModes.includes(ssl)) throw refused(`has sslmode "${ssl}"`, `It must be one of ${sslModes.join(", ")}.`);
  if (url.hash) throw refused("has a #", "Write it as %23.");
  return {
    host: part("host", url.hostname.replace(/^\[(.*)\]$/, "$1")) || "localhost",
    port: Number(port),
    database: part("dbname", url.pathname.slice(1)) || user,
    user,
    password: part("password", url.password) || null,
    ssl,
    rootCertificate: url.searchParams.get("sslrootcert"),
  };
}

/** The database as people and programs may see it: a URL without its password. */
export function describeDatabase({ host, port, database, user }: DatabaseUrl): string {
  const shownHost = host.includes(":") ? `[${host}]` : encodeURIComponent(host);
  const shownPort = port === 5432 ? "" : `:${port}`;
  return `postgres://${encodeURIComponent(user)}@${shownHost}${shownPort}/${encodeURIComponent(database)}`;
}

/** The password for a database in the text of a `.pgpass`; `null` if it has none (libpq-pgpass.html). */
export function findPassword(text: string, { host, port, database, user }: DatabaseUrl): string | null {
  const wanted = [host.startsWith("/") ? "localhost" : host, String(port), database, user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const fields = [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g)].map(([, field = ""]) =>
      field.replace(/\\(.)/g, "$1"),
    );
    if (fields.length >= 5 && wanted.every((value, index) => fields[index] === "*" || fields[index] === value))
      return fields[4] ?? null;
  }
  return null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused("has a % that is no escape", "Write it as %25.");
  }
}

function refused(problem: string, fix: string): RelayError {
  return new RelayError("usage", `the URL of the database ${problem}`, fix);
}
