import type { Clock } from "../../core/clock.ts";
import type { DatabaseUrl } from "../../core/database-url.ts";
import { connect } from "./postgres-connection.ts";

// A pooler takes a LISTEN and passes nothing on, and so does a connection that a router forgot. It is tried again after this.
const restMs = 300_000;

// An echo takes milliseconds.
const echoMs = 1_500;

const connectSeconds = 2;

/**
 * The wait for words from other processes, on a connection of its own. An echo proves that they arrive: the store has it sent
 * with a look, and does without this if it has not come by the next one.
 */
export class PostgresListener {
  readonly #url: DatabaseUrl;
  readonly #clock: Clock;
  readonly #wake: () => void;
  #sql: Bun.SQL | null = null;
  #echo: string | null = null;
  #echoAt = 0;
  #hears = false;
  #restUntil = 0;

  /** Opens nothing yet. `wake` is called when another process leaves something to announce. */
  constructor(url: DatabaseUrl, clock: Clock, wake: () => void) {
    this.#url = url;
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Whether words arrive, as far as the last echo proves. */
  get hears(): boolean {
    return this.#hears;
  }

  /** Opens the connection, unless it is open or of no use. Never throws. */
  async open(channel: string): Promise<void> {
    if (this.#sql || this.#clock.elapsed() < this.#restUntil) return;
    const sql = connect(this.#url, {
      connectionTimeout: connectSeconds,
      onclose: () => {
        // what was said meanwhile was not heard
        if (this.#hears && this.#sql === sql) this.#wake();
        this.#drop(sql);
      },
    });
    this.#sql = sql;
    await sql.listen(channel, (word) => this.#hear(word)).catch(() => this.#rest());
  }

  /** The echo that a look is to send; `null` if nobody listens. Without the last one, the connection is of no use. */
  nextEcho(): string | null {
    const now = this.#clock.elapsed();
    if (this.#echo !== null && now < this.#echoAt + echoMs) return this.#echo;
    if (this.#echo !== null) this.#rest();
    this.#echo = this.#sql && crypto.randomUUID();
    this.#echoAt = now;
    return this.#echo;
  }

  /** Closes the connection. */
  close(): void {
    if (this.#sql) this.#drop(this.#sql);
  }

  #hear(word: string): void {
    if (word === "") this.#wake();
    else if (word === this.#echo) {
      this.#echo = null;
      this.#hears = true;
    }
  }

  #rest(): void {
    this.close();
    this.#restUntil = this.#clock.elapsed() + restMs;
  }

  // The runtime would connect again by itself, and say of each attempt on standard error that it failed.
  #drop(sql: Bun.SQL): void {
    if (this.#sql === sql) {
      this.#sql = null;
      this.#echo = null;
      this.#hears = false;
    }
    void sql.close({ timeout: 0 });
  }
}
