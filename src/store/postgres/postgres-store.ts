import type { StoredAttachment } from "../../core/attachment.ts";
import { type Client, otherClient } from "../../core/client.ts";
import type { Clock } from "../../core/clock.ts";
import { leaseFor } from "../../core/compose-page.ts";
import type { DatabaseUrl } from "../../core/database-url.ts";
import type { Lease, LeasedPage, Page, PageMessage, PageRequest } from "../../core/leased-page.ts";
import { filesBytes, historyDays, lockMs, pageBytes } from "../../core/limits.ts";
import { unknownAnswered } from "../../core/message.ts";
import { countFitting } from "../../core/page-size.ts";
import {
  type Appended,
  type Cleared,
  type CodeSession,
  type Counts,
  isDefaultPreference,
  type LoggedMessage,
  type NotificationLease,
  type Redeemed,
  type Store,
  type Ticket,
} from "../../core/store.ts";
import type { KnownServers } from "../running-servers.ts";
import {
  compose,
  type FoundFile,
  type FoundPage,
  fileArguments,
  leaseArguments,
  pageArguments,
  readFile,
} from "./call-format.ts";
import { type CallOptions, PostgresConnection } from "./postgres-connection.ts";
import { type Deferred, PostgresLooks } from "./postgres-looks.ts";

/** The process of a store, as far as the store needs it. */
export interface PostgresStoreOptions extends KnownServers {
  url: DatabaseUrl;
  clock: Clock;
  /** The name of this machine, for processes have numbers on theirs. */
  machine: () => string;
  /** As in {@link SqliteStoreOptions}. */
  historyDays?: () => number;
  /** The longest time of a call, in milliseconds; 5,000 if left out. */
  timeoutMs?: number | undefined;
  /** The time in a test, in milliseconds since 1970. Otherwise it is the server's. */
  now?: () => number;
}

/** The store in a PostgreSQL database. Its transactions are the functions of functions.sql. */
export class PostgresStore implements Store {
  readonly #options: PostgresStoreOptions;
  readonly #connection: PostgresConnection;
  readonly #looks: PostgresLooks;

  /** Connects to nothing yet: the first call does. */
  constructor(options: PostgresStoreOptions) {
    this.#options = options;
    this.#connection = new PostgresConnection(options.url, options.clock, options.timeoutMs ?? lockMs);
    this.#looks = new PostgresLooks({
      ...options,
      look: (args) => this.#call("look", { ...args, ...this.#process() }, { once: true }),
      disconnect: () => this.#connection.close(),
    });
  }

  async append(...[{ files = [], ...message }, signal]: Parameters<Store["append"]>): Promise<Appended> {
    const bytes = Buffer.byteLength(message.message);
    const history_days = this.#options.historyDays?.() ?? historyDays;
    const args = {
      ...message,
      ...fileArguments(files),
      ...this.#process(),
      key: crypto.randomUUID(),
      bytes,
      history_days,
    };
    const moreBytes = files.reduce((sum, { size }) => sum + size, bytes);
    const options = { signal, moreBytes };
    const appended = await this.#call<Appended & { deferred: Deferred; unknown?: number }>("append", args, options);
    if (appended?.unknown !== undefined) throw unknownAnswered(appended.unknown);
    if (!appended) throw new Error("the database answered nothing");
    const { deferred, ...receipt } = appended;
    if (receipt.notification || deferred === null) return receipt;
    return { ...receipt, notification: await this.#looks.leaseLeft(deferred, otherClient(message.sender)) };
  }

  async lease(request: PageRequest, signal?: AbortSignal): Promise<LeasedPage> {
    const id = crypto.randomUUID();
    const found = await this.#call<FoundPage>("lease", { ...pageArguments(request), lease: id }, { signal });
    return this.#settle(found, request, id);
  }

  async renew(lease: Lease): Promise<boolean> {
    return (await this.#call<boolean>("renew", leaseArguments(lease))) ?? true;
  }

  async ack(lease: Lease): Promise<void> {
    await this.#call("ack", leaseArguments(lease));
  }

  async release(lease: Lease, redelivered: boolean): Promise<void> {
    await this.#call("release", { ...leaseArguments(lease), redelivered });
  }

  async undeliver(lease: Lease): Promise<void> {
    await this.#call("undeliver", leaseArguments(lease));
  }

  async peek(request: PageRequest): Promise<Page> {
    return compose(await this.#call<FoundPage>("peek", pageArguments(request)), request);
  }

  async lastPage(reader: Client, project: string | null): Promise<PageMessage[]> {
    return (await this.#call<PageMessage[]>("last_page", { reader, wanted: project })) ?? [];
  }

  async find(ids: readonly number[]): Promise<PageMessage[]> {
    return (await this.#call<PageMessage[]>("find", { ids })) ?? [];
  }

  async readFiles(id: number): Promise<StoredAttachment[]> {
    const files = await this.#call<FoundFile[]>("read_files", { id }, { moreBytes: filesBytes });
    return (files ?? []).map(readFile);
  }

  async log(...[{ search, ...query }]: Parameters<Store["log"]>): Promise<LoggedMessage[]> {
    const pattern = search === undefined ? null : `%${search.replace(/[\\%_]/g, "\\$&")}%`;
    const rows = (await this.#call<{ left: boolean; shown: PageMessage }[]>("log", { ...query, pattern })) ?? [];
    const found = rows.map(({ left, shown: { redelivered: _, answered: __, ...message } }) => ({ ...message, left }));
    return found.reverse();
  }

  async latest(limit: number): Promise<PageMessage[]> {
    const rows = (await this.#call<PageMessage[]>("latest", { limit })) ?? [];
    return rows.slice(0, countFitting(rows, pageBytes, true)).reverse();
  }

  async counts(): Promise<Counts> {
    return (await this.#call<Counts>("counts", {})) as Counts;
  }

  async clear(...[by, signal]: Parameters<Store["clear"]>): Promise<Cleared> {
    return (await this.#call<Cleared>("clear", { by }, { signal, once: true })) as Cleared;
  }

  async prefer(...[client, preference]: Parameters<Store["prefer"]>): Promise<void> {
    await this.#call("prefer", { client, preference, make: !isDefaultPreference(preference) });
  }

  watch(wake: () => void): void {
    this.#looks.watch(wake);
  }

  leaseNotifications(...[options]: Parameters<Store["leaseNotifications"]>): Promise<NotificationLease[]> {
    const { final = false, own = null } = options ?? {};
    return this.#looks.lease(final, own);
  }

  async markNotified({ id }: NotificationLease): Promise<void> {
    await this.#call("mark_notified", { lease: id });
  }

  async releaseNotification({ id }: NotificationLease): Promise<void> {
    await this.#call("release_notification", { lease: id, ...this.#process() });
  }

  async issueTicket(...[{ id, ...session }, ticket]: Parameters<Store["issueTicket"]>): Promise<boolean> {
    return (await this.#call<boolean>("issue_ticket", { ...session, session: id, ticket })) ?? true;
  }

  async redeemTicket({ id, process }: CodeSession, request: PageRequest): Promise<Redeemed | null> {
    const lease = crypto.randomUUID();
    const args = { ...pageArguments(request), session: id, process, lease };
    const redeemed = await this.#call<{ ticket: Ticket; project: string | null; page: FoundPage | null }>(
      "redeem_ticket",
      args,
      { once: true },
    );
    if (!redeemed) return null;
    const { ticket, project, page } = redeemed;
    const wanted = { ...request, project, everyProject: ticket.words === "all", only: ticket.ids };
    return { ...ticket, leased: page && (await this.#settle(page, wanted, lease)) };
  }

  close(): void {
    this.#connection.close();
    this.#looks.close();
  }

  #call<T>(name: string, args: object, options?: CallOptions): Promise<T | null> {
    const { now } = this.#options;
    return this.#connection.call<T>(name, now ? { ...args, now: now() } : args, options);
  }

  #process() {
    const { machine, server, project = null } = this.#options;
    return { machine: machine(), server, server_project: project };
  }

  /** Composes a leased page, and gives back at once what was leased and does not fit. */
  async #settle(found: FoundPage | null, request: PageRequest, id: string): Promise<LeasedPage> {
    const page = compose(found, request);
    const lease = leaseFor(page, request, id);
    const unread = (found?.fitting ?? []).filter((leased) => !lease?.unread.includes(leased));
    if (unread.length > 0) await this.#call("release", { lease: id, unread, redelivered: false });
    return { page, lease };
  }
}
