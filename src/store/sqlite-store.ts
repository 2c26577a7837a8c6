import type { Database } from "bun:sqlite";
import { clients, otherClient } from "../core/client.ts";
import { type Clock, timestamp } from "../core/clock.ts";
import {
  type Appended,
  isDefaultPreference,
  type LeasedPage,
  type NotificationLease,
  type Page,
  type Store,
} from "../core/store.ts";
import { Connection, type TransactionOptions } from "./connection.ts";
import * as dropped from "./dropped.ts";
import * as messages from "./messages.ts";
import * as notifications from "./notification-leases.ts";
import * as pages from "./pages.ts";
import * as tickets from "./tickets.ts";

const emptyPage: Page = { messages: [], remaining: 0, inFlight: 0, dropped: [], tooLong: null };

/** What a store needs of its process. */
export interface SqliteStoreOptions {
  /** Answers the path of the file, when it is first needed. Each method throws what this throws. */
  locate: () => string;
  clock: Clock;
  /** Whether a process of this number runs. */
  isRunning: (process: number) => boolean;
  /** The number of this process if it is a server, which looks for what nobody announced every two seconds. */
  server?: number;
  /** For how many milliseconds a lock of another process is waited for; 5,000 if left out. */
  patienceMs?: number | undefined;
}

/** The store in one SQLite file. Nothing is opened before the first call. */
export function createSqliteStore({
  locate,
  clock,
  isRunning,
  server,
  patienceMs,
}: SqliteStoreOptions): Store {
  let connection: Connection | undefined;
  const transact = <T>(work: (db: Database, now: number) => T, options: TransactionOptions = {}) => {
    return Promise.try(() => {
      connection ??= new Connection(locate(), clock, patienceMs);
      return connection.transact((db) => {
        if (!options.readonly) tickets.removeExpired(db, clock.now());
        return work(db, clock.now());
      }, options);
    });
  };
  // What a missing file holds is `missing`.
  const change = async <T>(
    missing: T,
    work: (db: Database, now: number) => T,
    signal?: AbortSignal,
  ): Promise<T> => (await transact(work, { signal })) ?? missing;
  const read = async <T>(missing: T, work: (db: Database, now: number) => T): Promise<T> =>
    (await transact(work, { readonly: true })) ?? missing;

  // A message in the cooldown waits for the next look of a server, if one runs.
  const isLookedAfter = (db: Database, final: boolean) => {
    if (server !== undefined && !final) notifications.registerServer(db, server);
    if (server !== undefined && final) notifications.removeServer(db, server);
    const [running, gone] = partition(notifications.servers(db), isRunning);
    for (const process of gone) notifications.removeServer(db, process);
    return running.length > 0;
  };

  return {
    async append({ sender, message, notify }, signal) {
      const work = (db: Database, now: number): Appended => {
        const id = messages.insert(db, { sender, message, timestamp: timestamp(now) });
        const evicted = messages.evict(db, id);
        const reader = otherClient(sender);
        if (notify === "never") notifications.skip(db, id, now);
        const waits = notify === "now" && notifications.cooldownLeft(db, reader, now) > 0;
        const announced = notify === "now" && !(waits && isLookedAfter(db, false));
        return {
          id,
          unread: messages.countUnread(db)[reader],
          evicted: evicted.map((row) => row.id),
          evicted_unread: evicted.filter((row) => row.unread).map((row) => row.id),
          notification: announced ? notifications.leaseNotification(db, reader, now, false) : null,
        };
      };
      return (await transact(work, { create: true, signal })) as Appended;
    },

    lease: (request, signal) =>
      change<LeasedPage>(
        { page: emptyPage, lease: null },
        (db, now) => pages.leasePage(db, request, now),
        signal,
      ),
    renew: (lease) => change(true, (db, now) => messages.renew(db, lease, now)),
    ack: (lease) =>
      change(undefined, (db, now) => {
        messages.ack(db, lease, timestamp(now));
        dropped.forget(db, lease);
      }),
    release: (lease, redelivered) => change(undefined, (db) => messages.release(db, lease, redelivered)),
    undeliver: (lease) => change(undefined, (db) => messages.undeliver(db, lease)),

    peek: (request) => read(emptyPage, (db, now) => pages.readPage(db, request, now)),
    lastPage: (reader) => read([], (db) => pages.lastPage(db, reader)),
    latest: (limit) => read([], (db) => pages.latest(db, limit)),
    counts: () => read({ total: 0, unread: { desktop: 0, code: 0 }, latest: null }, messages.counts),

    clear: (by, signal) =>
      change(
        { deleted: 0, deleted_unread: 0 },
        (db) => {
          const { ids, unread } = messages.deleteAll(db);
          dropped.markCleared(db, ids, by);
          return { deleted: ids.length, deleted_unread: unread };
        },
        signal,
      ),

    async prefer(client, preference) {
      const work = (db: Database) => notifications.setPreference(db, client, preference);
      await transact(work, { create: !isDefaultPreference(preference) });
    },

    async leaseNotifications({ final = false } = {}) {
      const registered = (db: Database) => server !== undefined && notifications.servers(db).includes(server);
      const isIdle = (db: Database) =>
        !notifications.hasPending(db) && !tickets.any(db) && registered(db) !== final;
      if (await read(true, isIdle)) return [];
      return change<NotificationLease[]>([], (db, now) => {
        const cools = isLookedAfter(db, final);
        return clients
          .filter((reader) => !(cools && notifications.cooldownLeft(db, reader, now) > 0))
          .map((reader) => notifications.leaseNotification(db, reader, now, true))
          .filter((lease) => lease !== null);
      });
    },
    markNotified: (lease) => change(undefined, (db, now) => notifications.mark(db, lease, now)),
    releaseNotification: (lease) =>
      change(undefined, (db) => {
        notifications.release(db, lease);
        if (server !== undefined) notifications.removeServer(db, server); // its notifier fails, so others look
      }),

    async issueTicket(session, args) {
      await transact((db, now) => tickets.issue(db, session, args, now), { create: true });
    },
    redeemTicket: (session, request) =>
      change<Awaited<ReturnType<Store["redeemTicket"]>>>(null, (db, now) => {
        const args = tickets.redeem(db, session);
        if (args === null) return null;
        return { args, leased: args.trim() === "" ? pages.leasePage(db, request, now) : null };
      }),

    close: () => connection?.close(),
  };
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
