import type { RequestId } from "@modelcontextprotocol/sdk/types.js";
import type { Delivery } from "../core/delivery.ts";
import { WriteFailed } from "../core/errors.ts";

// A client cancels a request soon, before it has sent many others.
const rememberedAnswers = 100;

interface Entry {
  delivery: Delivery;
  state: "leased" | "writing" | "answered";
  cancelled: boolean;
}

/**
 * The pages that are attached to answers. The SDK silently drops the answer to a cancelled request; this gives back its
 * page.
 */
export class PendingDeliveries {
  readonly #entries = new Map<RequestId, Entry>();
  readonly #onError: (error: unknown) => void;

  /** Starts without pages. `onError` gets the errors of pages that are not given back; their leases expire. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Attaches a page to the answer to this request. */
  attach(id: RequestId, delivery: Delivery, signal: AbortSignal): void {
    if (signal.aborted) this.#settle(delivery.release());
    else this.#entries.set(id, { delivery, state: "leased", cancelled: false });
  }

  /** Gives back the page of a cancelled request: it is offered again, labelled if any of it was written. */
  cancel(id: RequestId): void {
    const entry = this.#entries.get(id);
    if (!entry || entry.cancelled) return;
    entry.cancelled = true;
    if (entry.state === "writing") return; // send settles it
    this.#entries.delete(id);
    this.#settle(entry.state === "leased" ? entry.delivery.release() : entry.delivery.undeliver());
  }

  /**
   * Writes the answer to this request with `write`, which asks before its first byte whether the request was cancelled,
   * and settles the attached page. Throws as {@link Delivery.send}.
   */
  async send(id: RequestId, write: (isCancelled: () => boolean) => Promise<void>): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) return write(() => false);
    const start = () => {
      if (!entry.cancelled) entry.state = "writing";
      return entry.cancelled;
    };
    try {
      await entry.delivery.send(async () => {
        await write(start);
        if (entry.cancelled) throw new WriteFailed(true, "ECANCELED");
      });
    } catch (error) {
      this.#entries.delete(id);
      throw error;
    }
    entry.state = "answered";
    if (entry.cancelled) this.#settle(entry.delivery.undeliver());
    this.#forgetOldest();
  }

  /** Gives back each page whose answer is not being written. */
  async releaseAll(): Promise<void> {
    const unwritten = [...this.#entries.values()].filter(({ state }) => state === "leased");
    for (const entry of unwritten) entry.cancelled = true;
    await Promise.all(unwritten.map(({ delivery }) => delivery.release().catch(this.#onError)));
  }

  #settle(work: Promise<void>): void {
    work.catch(this.#onError);
  }

  #forgetOldest(): void {
    const answered = [...this.#entries].filter(([, { state }]) => state === "answered");
    for (const [id] of answered.slice(0, -rememberedAnswers)) this.#entries.delete(id);
  }
}
