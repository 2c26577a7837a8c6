import type { Clock } from "./clock.ts";
import { RelayError, WriteFailed } from "./errors.ts";
import type { Lease, Store } from "./store.ts";

/** A leased page on its way to its reader. */
export interface Delivery {
  /**
   * Writes the page with `write`, then acks it. Throws what `write` throws, and then the page is offered again: as it
   * was if {@link WriteFailed} says that no byte went out, else labelled. Throws `failed`, having written nothing, if
   * the page went to another reader meanwhile.
   */
  send(write: () => Promise<void>): Promise<void>;
  /** The page will not be written: it is offered again as it was. */
  release(): Promise<void>;
  /** Nobody waited for the page that was sent: it is offered again, labelled. */
  undeliver(): Promise<void>;
}

// A younger lease is surely the reader's own, and a transaction costs a millisecond.
const renewAfterMs = 1_000;

/** The delivery of a page that the store has just leased. */
export function createDelivery(store: Store, lease: Lease, clock: Clock): Delivery {
  const leasedAt = clock.elapsed();
  return {
    async send(write) {
      if (clock.elapsed() - leasedAt > renewAfterMs && !(await store.renew(lease))) {
        throw new RelayError("failed", "this page expired and went to another reader", "Ask for it again.");
      }
      try {
        await write();
      } catch (error) {
        await store.release(lease, !(error instanceof WriteFailed) || error.started);
        throw error;
      }
      await store.ack(lease);
    },
    release: () => store.release(lease, false),
    undeliver: () => store.undeliver(lease),
  };
}
