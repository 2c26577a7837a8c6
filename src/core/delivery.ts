import type { Clock } from "./clock.ts";
import { RelayError, WriteFailed } from "./errors.ts";
import type { Lease, Store } from "./store.ts";

// A younger lease is surely the reader's own, and a transaction costs a millisecond.
const renewAfterMs = 1_000;

/** A leased page on its way to its reader. */
export class Delivery {
  readonly #store: Store;
  readonly #lease: Lease;
  readonly #clock: Clock;
  readonly #leasedAt: number;

  /** The delivery of a page that the store has just leased. */
  constructor(store: Store, lease: Lease, clock: Clock) {
    this.#store = store;
    this.#lease = lease;
    this.#clock = clock;
    this.#leasedAt = clock.elapsed();
  }

  /**
   * Writes the page with `write`, then acks it. Throws what `write` throws, and then the page is offered again: as it
   * was if {@link WriteFailed} says that no byte went out, else labelled. Throws `failed`, having written nothing, if
   * the page went to another reader meanwhile.
   */
  async send(write: () => Promise<void>): Promise<void> {
    const age = this.#clock.elapsed() - this.#leasedAt;
    if (age > renewAfterMs && !(await this.#store.renew(this.#lease))) {
      throw new RelayError("failed", "this page expired and went to another reader", "Ask for it again.");
    }
    try {
      await write();
    } catch (error) {
      await this.#store.release(this.#lease, !(error instanceof WriteFailed) || error.started);
      throw error;
    }
    await this.#store.ack(this.#lease);
  }

  /** The page will not be written: it is offered again as it was. */
  release(): Promise<void> {
    return this.#store.release(this.#lease, false);
  }

  /** Nobody waited for the page that was sent: it is offered again, labelled. */
  undeliver(): Promise<void> {
    return this.#store.undeliver(this.#lease);
  }
}
