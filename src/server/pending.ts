import type { RequestId } from "@modelcontextprotocol/sdk/types.js";
import type { Delivery } from "../core/delivery.ts";
import { WriteFailed } from "../core/errors.ts";

// A client that cancels has sent few requests since.
const rememberedAnswers = 100;

interface Entry {
  delivery: Delivery;
  state: "leased" | "writing" | "answered";
  cancelled: boolean;
}

/**
 * The pages that answers carry. The SDK drops the answer to a cancelled request without a word, so the page of such a
 * request is given back here.
 */
export class PendingDeliveries {
  readonly #entries = new Map<RequestId, Entry>();
  readonly #onError: (error: unknown) => void;

  /** Nothing is pending. `onError` hears of pages that could not be given back: their leases expire. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** The answer to this request carries this page. */
  attach(id: RequestId, delivery: Delivery, signal: AbortSignal): void {
    if (signal.aborted) this.#settle(delivery.release());
    else this.#entries.set(id, { delivery, state: "leased", cancelled: false });
  }

  /** The client waits no longer: the page is offered again, labelled if any of it was written. */
  cancel(id: RequestId): void {
    const entry = this.#entries.get(id);
    if (!entry || entry.cancelled) return;
    entry.cancelled = true;
    if (entry.state === "writing") return; // its end sees it
    this.#entries.delete(id);
    this.#settle(entry.state === "leased" ? entry.delivery.release() : entry.delivery.undeliver());
  }

  /**
   * Writes the answer to this request with `write`, which asks before its first byte whether the request was cancelled,
   * and settles the page that the answer carries. Throws what {@link Delivery.send} throws.
   */
  async send(id: RequestId, write: (isCancelled: () => boolean) => Promise<void>): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) return write(() => false);
    const begin = () => {
      if (!entry.cancelled) entry.state = "writing";
      return entry.cancelled;
    };
    try {
      await entry.delivery.send(async () => {
        await write(begin);
        if (entry.cancelled) throw new WriteFailed(true, "ECANCELED"); // nobody waited for it
      });
    } catch (error) {
      this.#entries.delete(id);
      throw error;
    }
    entry.state = "answered";
    if (entry.cancelled) this.#settle(entry.delivery.undeliver());
    this.#forgetOldest();
  }

  /** Gives back every page of whose answer nothing was written. */
  async releaseAll(): Promise<void> {
    const waiting = [...this.#entries.values()].filter(({ state }) => state === "leased");
    for (const entry of waiting) entry.cancelled = true;
    await Promise.all(waiting.map(({ delivery }) => delivery.release().catch(this.#onError)));
  }

  #settle(work: Promise<void>): void {
    work.catch(this.#onError);
  }

  #forgetOldest(): void {
    const answered = [...this.#entries].filter(([, { state }]) => state === "answered");
    for (const [id] of answered.slice(0, -rememberedAnswers)) this.#entries.delete(id);
  }
}
