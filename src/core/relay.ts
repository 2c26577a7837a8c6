import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import { Delivery } from "./delivery.ts";
import type { Notifications } from "./notifications.ts";
import type { Appended, CodeSession, LeasedPage, Page, PageRequest, Store } from "./store.ts";

/** What a send answers. */
export interface Receipt extends Omit<Appended, "notification"> {
  ok: true;
}

/** A page, and the delivery to send it with; without one the page needs no ack. */
export interface Fetched {
  page: Page;
  delivery: Delivery | null;
}

/** What tools and commands do with messages. For a single transaction they call the store itself. */
export class Relay {
  readonly #clock: Clock;

  /** Relay over this store, announcing with these notifications. */
  constructor(
    readonly store: Store,
    readonly notifications: Notifications,
    clock: Clock,
  ) {
    this.#clock = clock;
  }

  /** Stores a message and announces it. */
  async send(message: { sender: Client; message: string }, signal?: AbortSignal): Promise<Receipt> {
    const notify = this.notifications.policy;
    const { notification, ...stored } = await this.store.append({ ...message, notify }, signal);
    if (notification) this.notifications.announce(notification);
    return { ok: true, ...stored };
  }

  /** Leases a page. */
  async fetch(request: PageRequest, signal?: AbortSignal): Promise<Fetched> {
    return this.#deliver(await this.store.lease(request, signal));
  }

  /** Takes the session's ticket: what was typed after `/get`, and a page if that was nothing. `null` without a ticket. */
  async redeem(
    session: CodeSession,
    request: PageRequest,
  ): Promise<{ args: string; fetched: Fetched | null } | null> {
    const redeemed = await this.store.redeemTicket(session, request);
    return redeemed && { args: redeemed.args, fetched: redeemed.leased && this.#deliver(redeemed.leased) };
  }

  #deliver({ page, lease }: LeasedPage): Fetched {
    return { page, delivery: lease && new Delivery(this.store, lease, this.#clock) };
  }
}
