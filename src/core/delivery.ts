import type { Clock } from "./clock.ts";
import { RelayError, WriteFailed } from "./errors.ts";
import type { Lease } from "./leased-page.ts";
import type { Store } from "./store.ts";

// A younger lease cannot have expired, and renewing it costs a millisecond.
const renewAfterMs = 1_000;

/** A leased page on its way to its reader. */
export class Delivery {
  readonly #store: Store;
  readonly #lease: Lease;
  readonly #clock: Clock;
  readonly #leasedAt: number;

  /** The delivery of a page that the store has leased just now. */
  constructor(store: Store, lease: Lease, clock: Clock) {
    this.#store = store;
    this.#lease = lease;
    this.#clock = clock;
    this.#leasedAt = clock.elapsed();
  }

  /**
   * Writes the page with `write`, which calls `ready` right before its first byte, then acks it. Throws the error of
   * `write`; then the page is offered again, labelled if {@link WriteFailed} says that a byte may have gone out. `ready`
   * throws `failed` if the page went to another reader meanwhile.
   */
  async send(write: (ready: () => Promise<void>) => Promise<void>): Promise<void> {
    try {
      await write(() => this.#renew());
    } catch (error) {
      await this.#store.release(this.#lease, error instanceof WriteFailed && error.started);
      throw error;
    }
    await this.#store.ack(this.#lease);
  }

  async #renew(): Promise<void> {
    const age = this.#clock.elapsed() - this.#leasedAt;
    if (age <= renewAfterMs || (await this.#store.renew(this.#lease))) return;
    throw new RelayError("failed", "this page expired and went to another reader", "Ask for it again.");
  }

  /** Gives back a page that is not written: it is offered again as it was. */
  release(): Promise<void> {
    return this.#store.release(this.#lease, false);
  }

  /** Takes back a page that was sent to a request cancelled before: it is offered again, labelled. */
  undeliver(): Promise<void> {
    return this.#store.undeliver(this.#lease);
  }
}
