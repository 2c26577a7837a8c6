import type { RequestId } from "@modelcontextprotocol/sdk/types.js";
import type { Delivery } from "../core/delivery.ts";
import { WriteFailed } from "../core/errors.ts";

// A client cancels a request soon, before it has sent so many others.
const remembered = 1_000;

interface Entry {
  delivery: Delivery;
  state: "leased" | "writing" | "answered";
}

/**
 * The pages that are attached to answers, and the requests that were cancelled. The SDK silently drops the answer to a
 * cancelled request, a moment later than the cancellation arrives; this gives back its page.
 */
export class PendingDeliveries {
  readonly #entries = new Map<RequestId, Entry>();
  readonly #cancelled = new Set<RequestId>();
  readonly #onError: (error: unknown) => void;

  /** Starts without pages. `onError` gets the errors of pages that are not given back; their leases expire. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Forgets an earlier cancellation of this id: some clients use one again. */
  begin(id: RequestId): void {
    this.#cancelled.delete(id);
  }

  /** Attaches a page to the answer to this request. */
  attach(id: RequestId, delivery: Delivery): void {
    if (this.#cancelled.has(id)) this.#settle(delivery.release());
    else this.#entries.set(id, { delivery, state: "leased" });
  }

  /** Drops the answer to a request that is not answered yet, and gives back its page, labelled if any of it was written. */
  cancel(id: RequestId): void {
    const entry = this.#entries.get(id);
    if (entry?.state !== "answered") this.#cancelled.add(id);
    if (this.#cancelled.size > 2 * remembered) forgetOldest(this.#cancelled, [...this.#cancelled]);
    if (!entry || entry.state === "writing") return; // send settles it
    this.#entries.delete(id);
    this.#settle(entry.state === "leased" ? entry.delivery.release() : entry.delivery.undeliver());
  }

  /** Whether this request was cancelled before it was answered. */
  isCancelled(id: RequestId): boolean {
    return this.#cancelled.has(id);
  }

  /**
   * Writes the answer to this request with `write`, which calls `ready` right before its first byte, and settles the
   * attached page. `ready` throws if the answer is not to be written. Throws as {@link Delivery.send}.
   */
  async send(id: RequestId, write: (ready: () => Promise<void>) => Promise<void>): Promise<void> {
    const entry = this.#entries.get(id);
    const refuseCancelled = () => {
      if (this.#cancelled.has(id)) throw new WriteFailed(false, "ECANCELED");
    };
    if (!entry) return write(async () => refuseCancelled());
    const writePage = async (renew: () => Promise<void>) => {
      await write(async () => {
        refuseCancelled();
        await renew();
        refuseCancelled();
        entry.state = "writing";
      });
      if (this.#cancelled.has(id)) throw new WriteFailed(true, "ECANCELED");
    };
    try {
      await entry.delivery.send(writePage);
    } catch (error) {
      this.#entries.delete(id);
      throw error;
    }
    entry.state = "answered";
    if (this.#cancelled.has(id)) this.#settle(entry.delivery.undeliver());
    if (this.#entries.size > 2 * remembered) this.#forgetAnswered();
  }

  /** Gives back every page of whose answer nothing was written. */
  async releaseAll(): Promise<void> {
    const waiting = [...this.#entries].filter(([, { state }]) => state === "leased");
    for (const [id] of waiting) this.#cancelled.add(id);
    await Promise.all(waiting.map(([, { delivery }]) => delivery.release().catch(this.#onError)));
  }

  #forgetAnswered(): void {
    const answered = [...this.#entries].filter(([, { state }]) => state === "answered");
    forgetOldest(
      this.#entries,
      answered.map(([id]) => id),
    );
  }

  #settle(work: Promise<void>): void {
    work.catch(this.#onError);
  }
}

function forgetOldest(requests: { delete(id: RequestId): boolean }, ids: readonly RequestId[]): void {
  for (const id of ids.slice(0, -remembered)) requests.delete(id);
}
