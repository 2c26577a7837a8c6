import type { Clock } from "../../core/clock.ts";
import { type DatabaseUrl, describeDatabase } from "../../core/database-url.ts";
import { schemaVersion } from "./call-format.ts";
import { explainPostgres, isPassing, isUnprepared, stateOf, Unanswered } from "./postgres-errors.ts";

// After this an attempt is given up: a connection that a sleeping laptop or a router forgot never answers.
const attemptMs = 2_000;
const attemptShare = 0.4;

// A server that hears of messages looks once a minute, and one that does not every two seconds.
const idleSeconds = 5;

const shortestAttemptMs = 50;
const shortestPauseMs = 50;
const longestPauseMs = 1_000;

/** Options of a call. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Do not try again: the function would do more at its second call. */
  once?: boolean;
  /** The bytes of files that go out or come in, and may take a second for each megabyte. */
  moreBytes?: number;
}

/** One connection to a database, opened when it is needed, and again when it broke. */
export class PostgresConnection {
  readonly #url: DatabaseUrl;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #sql: Bun.SQL | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** Opens nothing yet. `timeoutMs` is the longest time of a call, in milliseconds. */
  constructor(url: DatabaseUrl, clock: Clock, timeoutMs: number) {
    this.#url = url;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Calls a function of functions.sql after those of earlier calls, as one transaction, and answers its result. A call whose
   * answer is lost is made again with the argument `again`, and its first attempt may still arrive, even later: a message is
   * stored once. Throws a `buffer` error, or the signal's reason.
   */
  call<T>(name: string, args: object, options: CallOptions = {}): Promise<T | null> {
    const deadline = this.#clock.elapsed() + this.#timeoutMs + moreTime(options);
    const run = () => this.#callUntil<T>(deadline, name, args, options);
    const result = this.#last.then(run, run);
    this.#last = result;
    return result;
  }

  /** Runs `work` on the connection, and explains its error. */
  async use<T>(work: (sql: Bun.SQL) => Promise<T>): Promise<T> {
    try {
      return await work(this.#open(attemptMs));
    } catch (error) {
      throw explainPostgres(error, describeDatabase(this.#url));
    }
  }

  /** Closes the connection. The next call opens it again. */
  close(): void {
    void this.#sql?.close({ timeout: 0 });
    this.#sql = null;
  }

  async #callUntil<T>(deadline: number, name: string, args: object, options: CallOptions): Promise<T | null> {
    const { signal, once = false } = options;
    const attempt = Math.max(attemptMs, attemptShare * this.#timeoutMs) + moreTime(options);
    let isPrepared = false;
    let answered: unknown = null;
    for (let pause = shortestPauseMs; ; pause = Math.min(longestPauseMs, pause * 2)) {
      signal?.throwIfAborted();
      try {
        const limit = Math.min(attempt, Math.max(shortestAttemptMs, deadline - this.#clock.elapsed()));
        return await this.#attempt<T>(name, answered ? { ...args, again: true } : args, limit);
      } catch (error) {
        // that a later attempt could not connect says nothing of an earlier one
        answered = answered instanceof Unanswered ? answered : error;
        if (isUnprepared(error) && !isPrepared && this.#timeoutMs >= attemptMs) {
          isPrepared = true;
          const { migrate } = await import("./postgres-schema.ts"); // its texts are large
          await this.use(migrate);
          continue;
        }
        if (once || !isPassing(error) || this.#clock.elapsed() + pause + shortestAttemptMs >= deadline)
          throw explainPostgres(isPassing(error) ? answered : error, describeDatabase(this.#url));
      }
      await Bun.sleep(pause * (0.5 + Math.random() / 2)); // at random, so that processes which wait together do not try together
    }
  }

  async #attempt<T>(name: string, args: object, limit: number): Promise<T | null> {
    const sql = this.#open(limit);
    // the server gives up first, and says that it did nothing
    const parameters = encode({ ...args, schema: schemaVersion, wait: Math.ceil(limit * 0.8) });
    const query = sql.unsafe(`SELECT relay.${name}($1::text::jsonb)::text AS result`, [parameters]).execute();
    const timer = Promise.withResolvers<never>();
    const timeout = setTimeout(() => timer.reject(new Unanswered("no answer")), limit);
    try {
      const [row] = await Promise.race([query, timer.promise]);
      return row?.result ? (decode(row.result) as T) : null;
    } catch (error) {
      query.catch(() => {}); // it ends with the connection
      if (isPassing(error)) this.close();
      throw stateOf(error) === "ERR_POSTGRES_CONNECTION_CLOSED" ? new Unanswered("the connection was cut") : error;
    } finally {
      clearTimeout(timeout);
    }
  }

  #open(limit: number): Bun.SQL {
    this.#sql ??= connect(this.#url, { connectionTimeout: (limit / 1_000) * 0.9, idleTimeout: idleSeconds });
    return this.#sql;
  }
}

function moreTime({ moreBytes = 0 }: CallOptions): number {
  return moreBytes / 1_000;
}

// A text of PostgreSQL's has no U+0000. So U+0001 stands before each of the two, and the second is the other one's name.
function encode(value: object): string {
  return JSON.stringify(value).replace(/\\\\|\\u000[01]/g, (found) =>
    found === "\\\\" ? found : `\\u0001\\u000${found.endsWith("0") ? 1 : 2}`,
  );
}

function decode(json: string): unknown {
  return JSON.parse(json.replace(/\\\\|\\u0001\\u000([12])/g, (found, name) => (name ? `\\u000${name - 1}` : found)));
}

/**
 * A client of one connection, which is opened by its first query. Every setting is named, because Bun would take it from
 * variables such as DATABASE_URL and PGDATABASE. No statement is prepared, so that it also works through a pooler.
 */
export function connect(url: DatabaseUrl, options: Partial<Bun.SQL.PostgresOrMySQLOptions>): Bun.SQL {
  const { host, port, database, user, password, ssl, rootCertificate } = url;
  return new Bun.SQL({
    adapter: "postgres",
    url: `postgres://relay?sslmode=${ssl}`,
    hostname: host,
    port,
    database,
    username: user,
    password: password ?? "",
    ...(rootCertificate === null ? {} : { tls: { ca: Bun.file(rootCertificate) } }),
    connection: { application_name: "relay" },
    max: 1,
    prepare: false,
    ...options,
  });
}
