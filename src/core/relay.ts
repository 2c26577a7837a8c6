import type { Attachment } from "./attachment.ts";
import type { Clock } from "./clock.ts";
import { Delivery } from "./delivery.ts";
import type { LeasedPage, Page, PageRequest } from "./leased-page.ts";
import type { NewMessage } from "./message.ts";
import type { Notifications } from "./notifications.ts";
import type { Appended, CodeSession, Store, Ticket } from "./store.ts";

/** The receipt of a send, as JSON shows it. */
export interface Receipt extends Omit<Appended, "notification" | "project" | "seenProjects"> {
  ok: true;
  /** Only of a message with a project. */
  project?: string;
  /** The projects of sessions that were seen in the last 30 days, if none of its own was. */
  seen_projects?: string[];
  /** Left out if there are none. */
  files?: Pick<Attachment, "name" | "type" | "size">[];
}

/** A page and its delivery; `null` if the page needs no ack. */
export interface Fetched {
  page: Page;
  delivery: Delivery | null;
}

/** Sends and fetches messages for tools and commands, which call the store for a single transaction. */
export class Relay {
  readonly #clock: Clock;

  /** Relay over this store, which announces with these notifications. */
  constructor(
    readonly store: Store,
    readonly notifications: Notifications,
    clock: Clock,
  ) {
    this.#clock = clock;
  }

  /** Stores a message and announces it. */
  async send(message: NewMessage, signal?: AbortSignal): Promise<Receipt> {
    const notify = this.notifications.policy;
    const { notification, project, seenProjects, ...stored } = await this.store.append({ ...message, notify }, signal);
    if (notification) this.notifications.announce(notification);
    const files = message.files?.map(({ name, type, size }) => ({ name, type, size })) ?? [];
    return {
      ok: true,
      ...stored,
      ...(files.length > 0 && { files }),
      ...(project !== null && { project }),
      ...(seenProjects !== null && { seen_projects: seenProjects }),
    };
  }

  /** Leases a page. */
  async fetch(request: PageRequest, signal?: AbortSignal): Promise<Fetched> {
    return this.#deliver(await this.store.lease(request, signal));
  }

  /** Redeems the session's ticket: its messages once more, or a page of them; `null` without a ticket. */
  async redeem(session: CodeSession, request: PageRequest): Promise<(Ticket & { fetched: Fetched | null }) | null> {
    const redeemed = await this.store.redeemTicket(session, request);
    return redeemed && { ...redeemed, fetched: redeemed.leased && this.#deliver(redeemed.leased) };
  }

  #deliver({ page, lease }: LeasedPage): Fetched {
    return { page, delivery: lease && new Delivery(this.store, lease, this.#clock) };
  }
}
