import type { Database } from "bun:sqlite";
import type { StoredAttachment } from "../core/attachment.ts";
import { type Client, clients } from "../core/client.ts";
import { type Clock, timestamp } from "../core/clock.ts";
import {
  emptyPage,
  type Lease,
  type LeasedPage,
  type Page,
  type PageMessage,
  type PageRequest,
} from "../core/leased-page.ts";
import { historyDays } from "../core/limits.ts";
import {
  type Appended,
  type CodeSession,
  type Counts,
  isDefaultPreference,
  type LoggedMessage,
  type LogQuery,
  type NotificationLease,
  type Redeemed,
  type Store,
} from "../core/store.ts";
import { append } from "./append.ts";
import * as files from "./attached-files.ts";
import { Connection, type TransactionOptions } from "./connection.ts";
import * as dropped from "./dropped.ts";
import * as history from "./history.ts";
import * as messages from "./messages.ts";
import * as notifications from "./notification-leases.ts";
import * as pages from "./pages.ts";
import * as projects from "./projects.ts";
import { hasServer, isSettled, type KnownServers, removeServer } from "./running-servers.ts";
import * as tickets from "./tickets.ts";

/** The process of a store, as far as the store needs it. */
export interface SqliteStoreOptions extends KnownServers {
  /** Answers the path of the file; called when it is first needed. Each method throws the error of this. */
  locate: () => string;
  clock: Clock;
  /** The days for which the history keeps a message, 90 if left out; 0 keeps none. {@link Store.append} throws its error. */
  historyDays?: () => number;
  /** The longest wait for a lock of another process, in milliseconds; 5,000 if left out. */
  lockTimeoutMs?: number | undefined;
}

type Work<T> = (db: Database, now: number) => T;

const noCounts: Counts = {
  total: 0,
  history: 0,
  unread: { desktop: 0, code: 0 },
  projects: [],
  latest: null,
  delivered: { desktop: null, code: null },
};

/** The store in one SQLite file. */
export class SqliteStore implements Store {
  readonly #options: SqliteStoreOptions;
  #connection: Connection | undefined;

  /** Opens nothing yet: the first call does. */
  constructor(options: SqliteStoreOptions) {
    this.#options = options;
  }

  async append(...[message, signal]: Parameters<Store["append"]>): Promise<Appended> {
    const days = this.#options.historyDays?.() ?? historyDays;
    return this.#store((db, now) => append(db, message, days, this.#options, now), signal);
  }

  lease(request: PageRequest, signal?: AbortSignal): Promise<LeasedPage> {
    const work: Work<LeasedPage> = (db, now) => pages.leasePage(db, request, now);
    return this.#change({ page: emptyPage, lease: null }, work, signal);
  }

  renew(lease: Lease): Promise<boolean> {
    return this.#change(true, (db, now) => messages.renew(db, lease, now));
  }

  ack(lease: Lease): Promise<void> {
    return this.#change(undefined, (db, now) => {
      messages.ack(db, lease, timestamp(now));
      dropped.forget(db, lease);
    });
  }

  release(lease: Lease, redelivered: boolean): Promise<void> {
    return this.#change(undefined, (db) => messages.release(db, lease, redelivered));
  }

  undeliver(lease: Lease): Promise<void> {
    return this.#change(undefined, (db) => {
      messages.undeliver(db, lease);
      dropped.restore(db, lease);
    });
  }

  peek(request: PageRequest): Promise<Page> {
    return this.#read(emptyPage, (db, now) => pages.readPage(db, request, now));
  }

  lastPage(reader: Client, project: string | null): Promise<PageMessage[]> {
    return this.#read([], (db) => pages.lastPage(db, reader, project));
  }

  log(query: LogQuery): Promise<LoggedMessage[]> {
    return this.#read([], (db) => history.readLog(db, query));
  }

  readFiles(id: number): Promise<StoredAttachment[]> {
    return this.#read([], (db) => files.readFiles(db, id));
  }

  find(ids: readonly number[]): Promise<PageMessage[]> {
    return this.#read([], (db) => pages.find(db, ids));
  }

  latest(limit: number): Promise<PageMessage[]> {
    return this.#read([], (db) => pages.latest(db, limit));
  }

  counts(): Promise<Counts> {
    return this.#read<Counts>(noCounts, messages.counts);
  }

  clear(...[by, signal]: Parameters<Store["clear"]>): ReturnType<Store["clear"]> {
    const work = (db: Database) => {
      const { ids, unread } = messages.deleteAll(db);
      dropped.markCleared(db, ids, by);
      return {
        deleted: ids.length,
        deleted_unread: unread,
        deleted_history: history.deleteHistory(db, ids.length),
      };
    };
    return this.#change({ deleted: 0, deleted_unread: 0, deleted_history: 0 }, work, signal);
  }

  prefer(...[client, preference]: Parameters<Store["prefer"]>): Promise<void> {
    const work = (db: Database) => notifications.setPreference(db, client, preference, false);
    return isDefaultPreference(preference) ? this.#change(undefined, work) : this.#store(work);
  }

  async leaseNotifications(...[options]: Parameters<Store["leaseNotifications"]>): Promise<NotificationLease[]> {
    const { final = false, own = null } = options ?? {};
    const hasNothingToDo: Work<boolean> = (db, now) =>
      !notifications.hasPending(db) && !tickets.any(db) && isSettled(db, this.#options, now, final);
    if (await this.#read(true, hasNothingToDo)) return [];
    return this.#change<NotificationLease[]>([], (db, now) => {
      if (own) notifications.setPreference(db, own.client, own.preference, true);
      const isAnnounced = hasServer(db, this.#options, now, final);
      return clients
        .filter((reader) => !(isAnnounced && notifications.cooldownLeft(db, reader, now) > 0))
        .map((reader) => notifications.leaseNotification(db, reader, now, true))
        .filter((lease) => lease !== null);
    });
  }

  markNotified(lease: NotificationLease): Promise<void> {
    return this.#change(undefined, (db, now) => notifications.mark(db, lease, now));
  }

  releaseNotification(lease: NotificationLease): Promise<void> {
    const { server } = this.#options;
    return this.#change(undefined, (db) => {
      notifications.release(db, lease);
      if (server !== undefined) removeServer(db, server); // its notifier fails, so its looks do nothing
    });
  }

  async issueTicket(...[session, ticket]: Parameters<Store["issueTicket"]>): Promise<boolean> {
    if (ticket)
      return this.#store((db, now) => {
        projects.noteProject(db, session.project, now);
        return tickets.issue(db, session, ticket, now);
      });
    if (await this.#read(false, tickets.any)) await this.#change(null, (db) => tickets.redeem(db, session));
    return true;
  }

  redeemTicket(session: CodeSession, request: PageRequest): Promise<Redeemed | null> {
    return this.#change<Redeemed | null>(null, (db, now) => {
      const ticket = tickets.redeem(db, session);
      return ticket ? pages.leaseTicket(db, ticket, request, now) : tickets.refuse(db, session, now);
    });
  }

  close(): void {
    this.#connection?.close();
  }

  /** Makes a missing file. */
  async #store<T>(work: Work<T>, signal?: AbortSignal): Promise<T> {
    return (await this.#transact(work, { create: true, signal })) as T;
  }

  /** Answers `missing` for a missing file. */
  async #change<T>(missing: T, work: Work<T>, signal?: AbortSignal): Promise<T> {
    return (await this.#transact(work, { signal })) ?? missing;
  }

  async #read<T>(missing: T, work: Work<T>): Promise<T> {
    return (await this.#transact(work, { readonly: true })) ?? missing;
  }

  async #transact<T>(work: Work<T>, options: TransactionOptions): Promise<T | undefined> {
    const { locate, clock, lockTimeoutMs } = this.#options;
    this.#connection ??= new Connection(locate(), clock, lockTimeoutMs);
    return this.#connection.transact((db) => {
      const now = clock.now();
      if (!options.readonly) tickets.removeExpired(db, now);
      return work(db, now);
    }, options);
  }
}
