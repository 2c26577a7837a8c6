import type { Database } from "bun:sqlite";
import { clients, otherClient } from "../core/client.ts";
import { type Clock, timestamp } from "../core/clock.ts";
import {
  type Appended,
  type Buffer,
  type Claimed,
  type Delivery,
  defaultWish,
  type Page,
  unreadIds,
} from "../core/store.ts";
import {
  type BufferDatabase,
  bufferDatabase,
  type Patience,
  type TransactionOptions,
  type Work,
} from "./database.ts";
import * as losses from "./dropped.ts";
import { contentVersion } from "./file.ts";
import * as messages from "./messages.ts";
import * as announcements from "./notification-leases.ts";
import * as pages from "./pages.ts";
import * as tickets from "./tickets.ts";

const emptyPage: Page = { messages: [], remaining: 0, elsewhere: 0, losses: [] };

/**
 * The buffer in a SQLite file. Nothing is opened before the first call, which also asks `locate` for the path: should
 * there be none, each call throws what `locate` throws. Only {@link Buffer.append} makes the file; to the others a
 * missing file is an empty buffer.
 */
export function sqliteBuffer(locate: () => string, clock: Clock, patience?: Patience): Buffer {
  let database: BufferDatabase | undefined;
  // Nothing was left to announce at this version of the file, and after so many calls of this process.
  let quiet: { version: string; calls: number } | null = null;
  let calls = 0;
  const transact: BufferDatabase["transact"] = async (work, options) => {
    calls += 1;
    database ??= bufferDatabase(locate(), clock, patience);
    const tidyWork: typeof work = (db, file) => {
      tickets.forgetExpired(db, clock.now());
      return work(db, file);
    };
    return database.transact(tidyWork, options);
  };
  const inExisting = async <T>(missing: T, work: Work<T>, options?: TransactionOptions): Promise<T> =>
    (await transact(work, options)) ?? missing;
  // What is on its way is settled before anything else is begun: its reader waits for it.
  const settle = (work: Work<void>) => inExisting(undefined, work, { urgent: true });

  return {
    async append({ sender, message, announce, claim }, signal) {
      const work: Work<Appended> = (db, file) => {
        const now = clock.now();
        const id = messages.insert(db, { sender, message, timestamp: timestamp(now) });
        const evicted = messages.evict(db, id);
        const own = losses.untold(db, sender, now, true);
        losses.claim(db, claim, own, now);
        const reader = otherClient(sender);
        if (announce === "never") announcements.skip(db, id, now);
        const peace = announce === "now" ? announcements.peaceLeft(db, reader, now) : 0;
        return {
          lease: announce === "now" && peace === 0 ? announcements.lease(db, reader, claim, now) : null,
          foldsIn: peace > 0 ? peace : null,
          id,
          unread: messages.countUnread(db)[reader],
          evicted: evicted.map((row) => row.id),
          evicted_unread: evicted.filter((row) => row.unread).map((row) => row.id),
          losses: own,
          file,
        };
      };
      return (await transact(work, { create: true, signal })) as Appended;
    },

    claim({ claim, ...request }, signal) {
      const work: Work<Page & Claimed> = (db, file) => {
        const now = clock.now();
        const page = pages.readPage(db, request, losses.untold(db, request.reader, now), now);
        messages.claim(db, claim, unreadIds(page.messages, request.reader), now);
        losses.claim(db, claim, page.losses, now);
        return { ...page, file };
      };
      return inExisting({ ...emptyPage, file: 0 }, work, { signal });
    },

    peek(request) {
      return inExisting(emptyPage, (db) => {
        const now = clock.now();
        return pages.readPage(db, request, losses.untold(db, request.reader, now), now);
      });
    },

    lastPage: (reader) => inExisting([], (db) => pages.lastPage(db, reader)),
    latest: (limit) => inExisting([], (db) => pages.latest(db, limit)),

    async present(claim, delivery, write) {
      const work: Work<"delivered" | "begun" | "taken"> = (db, file) => {
        if (file !== delivery.file) return write() ? "delivered" : "begun";
        if (messages.takenFrom(db, claim, delivery.ids)) return "taken";
        // before anything is shown: a disk that is full says so here
        messages.renew(db, claim, clock.now());
        losses.renew(db, claim, clock.now());
        if (!write()) return "begun";
        markDelivered(db, claim, delivery);
        return "delivered";
      };
      return (await transact(work, { urgent: true })) ?? (write() ? "delivered" : "begun");
    },

    deliver(claim, delivery) {
      return settle((db, file) => {
        if (file === delivery.file) markDelivered(db, claim, delivery);
      });
    },

    withdraw(claim, maybeShown) {
      return settle((db) => {
        messages.withdraw(db, claim, maybeShown);
        losses.withdraw(db, claim);
      });
    },

    reopen({ reader, ids, readAt, losses: told, file: claimedIn }) {
      return settle((db, file) => {
        if (file !== claimedIn) return;
        messages.reopen(db, reader, ids, readAt);
        losses.recordMissing(db, reader, ids);
        losses.restore(db, reader, told);
      });
    },

    clear(by, signal) {
      const work = (db: Database) => losses.clearing(db, by, () => messages.deleteAll(db));
      return inExisting({ deleted: 0, deleted_unread: 0 }, work, { signal });
    },

    async wish(client, wish) {
      const isDefault = wish.notify === defaultWish.notify && wish.sound === defaultWish.sound;
      await transact((db) => announcements.setWish(db, client, wish, true), { create: !isDefault });
    },

    isQuiet() {
      const found = contentVersion(locate(), clock.now());
      return found === "" || (quiet?.calls === calls && quiet.version === found);
    },

    async lease({ early = false, own } = {}) {
      const call = calls + 1; // one that is asked for while this waits in line is not covered by what this finds
      return inExisting([], (db) => {
        const now = clock.now();
        if (own) announcements.setWish(db, own.client, own.wish, false);
        if (!announcements.anyLeft(db)) {
          const version = tickets.anyLeft(db) ? null : contentVersion(locate(), now);
          quiet = version === null ? null : { version, calls: call };
          return [];
        }
        return clients
          .filter((reader) => early || announcements.peaceLeft(db, reader, now) === 0)
          .map((reader) => announcements.lease(db, reader, crypto.randomUUID(), now))
          .filter((lease) => lease !== null);
      });
    },

    announced: (lease) => settle((db) => announcements.announced(db, lease, clock.now())),
    unannounced: (lease) => settle((db) => announcements.free(db, lease)),

    async mint(session, words) {
      await transact((db) => tickets.mint(db, session, words, clock.now()), { create: true });
    },
    redeem: (session) => inExisting(null, (db) => tickets.redeem(db, session)),

    counts: () => inExisting({ total: 0, unread: { desktop: 0, code: 0 }, latest: null }, messages.counts),

    close: () => database?.close(),
  };
}

function markDelivered(db: Database, claim: string, { reader, ids, readAt }: Delivery): void {
  messages.deliver(db, claim, reader, readAt);
  losses.deliver(db, claim, ids);
}
