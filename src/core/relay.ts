import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import { createDelivery, type Delivery } from "./delivery.ts";
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

/** What tools and commands do with messages. For whatever is a single transaction they use the store itself. */
export interface Relay {
  store: Store;
  notifications: Notifications;
  /** Stores a message and announces it. */
  send(message: { sender: Client; message: string }, signal?: AbortSignal): Promise<Receipt>;
  /** Leases a page. */
  fetch(request: PageRequest, signal?: AbortSignal): Promise<Fetched>;
  /** Takes the session's ticket: what was typed after `/get`, and the page if that was nothing. `null` without a ticket. */
  redeem(
    session: CodeSession,
    request: PageRequest,
  ): Promise<{ args: string; fetched: Fetched | null } | null>;
}

/** Relay over this store. */
export function createRelay(store: Store, notifications: Notifications, clock: Clock): Relay {
  const deliver = ({ page, lease }: LeasedPage): Fetched => ({
    page,
    delivery: lease && createDelivery(store, lease, clock),
  });
  return {
    store,
    notifications,
    async send(message, signal) {
      const { notification, ...stored } = await store.append(
        { ...message, notify: notifications.policy },
        signal,
      );
      if (notification) notifications.announce(notification);
      return { ok: true, ...stored };
    },
    async fetch(request, signal) {
      return deliver(await store.lease(request, signal));
    },
    async redeem(session, request) {
      const redeemed = await store.redeemTicket(session, request);
      return redeemed && { args: redeemed.args, fetched: redeemed.leased && deliver(redeemed.leased) };
    },
  };
}
