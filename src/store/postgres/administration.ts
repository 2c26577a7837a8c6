import { systemClock } from "../../core/clock.ts";
import { type DatabaseUrl, describeDatabase } from "../../core/database-url.ts";
import { RelayError } from "../../core/errors.ts";
import { historyDays, lockMs } from "../../core/limits.ts";
import { schemaVersion } from "./call-format.ts";
import { PostgresConnection } from "./postgres-connection.ts";
import { Unanswered } from "./postgres-errors.ts";
import { migrate } from "./postgres-schema.ts";

/** What a database says of itself and of its user. */
export interface DatabaseReport {
  /** The same on every machine that has this buffer. */
  buffer: string;
  schema: number;
  server: string;
  role: string;
  /** The role is an administrator's, whom row-level security does not hold back, and others have messages here. */
  seesOthers: boolean;
  /** The milliseconds by which this machine's clock is ahead of the database's; negative if it is behind. */
  aheadMs: number;
  /** A question and its answer, in milliseconds. */
  latencyMs: number;
  /** The error of a message that was stored on trial and taken back; `null` if it could be stored. */
  refusal: unknown;
}

/** Prepares a database for relay, and tries to write. Throws a `buffer` error. */
export async function prepare(database: DatabaseUrl): Promise<void> {
  const connection = connectionTo(database);
  try {
    await connection.use(migrate);
    await connection.call("report", { make: true });
  } finally {
    connection.close();
  }
}

type Answer = Omit<DatabaseReport, "aheadMs" | "latencyMs" | "refusal"> & { now: number };

/** Asks a database about itself, and changes nothing. Throws a `buffer` error. */
export async function report(database: DatabaseUrl): Promise<DatabaseReport> {
  const connection = connectionTo(database);
  try {
    await connection.call("report", {}); // connects
    const start = systemClock.elapsed();
    const found = await connection.call<Answer>("report", {});
    if (!found) throw new Error("the database answered nothing");
    const latencyMs = systemClock.elapsed() - start;
    const { now, ...facts } = found;
    const aheadMs = systemClock.now() - latencyMs / 2 - now;
    return { ...facts, aheadMs, latencyMs, refusal: await tryToStore(connection) };
  } finally {
    connection.close();
  }
}

/** Makes a role that may use its own rows of relay and nothing else, with a new password. Throws a `buffer` error. */
export async function createRole(database: DatabaseUrl, name: string): Promise<DatabaseUrl> {
  if (!/^[a-z_][a-z0-9_-]{0,62}$/i.test(name))
    throw new RelayError("usage", `"${name}" is no name for a role`, "Use letters, digits, _ and -.");
  const password = Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString("base64url");
  const connection = connectionTo(database);
  try {
    await connection.use(async (sql) => {
      await migrate(sql);
      const [found] = await sql`SELECT FROM pg_roles WHERE rolname = ${name}`;
      if (found) throw new RelayError("failed", `${describeDatabase(database)} has a role "${name}" already`);
      // servers may log statements, so this one has no password in it
      const verifier = await scramVerifier(password);
      const limits = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION";
      const tables = await sql`SELECT tablename FROM pg_policies WHERE schemaname = 'relay'`;
      // a role that had this name before may have left messages, which only the new one may delete: at most providers no
      // administrator is a superuser
      const statements = [
        `CREATE ROLE "${name}" ${limits} PASSWORD '${verifier}'`,
        `GRANT "${name}" TO CURRENT_USER`,
        `SET LOCAL ROLE "${name}"`,
        ...tables.map(
          ({ tablename }: { tablename: string }) => `DELETE FROM relay.${tablename} WHERE owner = current_user`,
        ),
        "RESET ROLE",
        `REVOKE "${name}" FROM CURRENT_USER`,
        `GRANT CONNECT ON DATABASE "${database.database.replaceAll('"', '""')}" TO "${name}"`,
      ];
      await sql.begin((transaction) => transaction.unsafe(statements.join(";")).simple());
    });
    return { ...database, user: name, password };
  } finally {
    connection.close();
  }
}

/**
 * Answers the error of a message that is stored on trial; `null` if it can be stored. The end of the connection takes it back.
 * What the tables grant says little: a whole server may be read-only, or full.
 */
async function tryToStore(connection: PostgresConnection): Promise<unknown> {
  const late = Promise.withResolvers<never>();
  const timeout = setTimeout(() => late.reject(new Unanswered("no answer")), lockMs);
  try {
    await connection.use((sql) => Promise.race([store(sql), late.promise]));
    return null;
  } catch (error) {
    return error;
  } finally {
    clearTimeout(timeout);
  }
}

async function store(sql: Bun.SQL): Promise<void> {
  const trial = {
    schema: schemaVersion,
    key: crypto.randomUUID(),
    sender: "code",
    message: "",
    bytes: 0,
    notify: "never",
    history_days: historyDays,
  };
  const connection = await sql.reserve();
  await connection.unsafe("BEGIN");
  await connection.unsafe("SELECT relay.append($1::text::jsonb)", [JSON.stringify(trial)]);
}

function connectionTo(database: DatabaseUrl): PostgresConnection {
  return new PostgresConnection(database, systemClock, lockMs);
}

/** What PostgreSQL keeps of a password (RFC 5803). */
async function scramVerifier(password: string): Promise<string> {
  const iterations = 4_096;
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const bytes = new TextEncoder().encode(password);
  const key = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveBits"]);
  const salted = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, 256);
  const hmac = (text: string) => new Bun.CryptoHasher("sha256", Buffer.from(salted)).update(text).digest();
  const stored = new Bun.CryptoHasher("sha256").update(hmac("Client Key")).digest("base64");
  const saltText = Buffer.from(salt).toString("base64");
  return `SCRAM-SHA-256$${iterations}:${saltText}$${stored}:${hmac("Server Key").toString("base64")}`;
}
