import { type Client, clients, otherClient } from "../../src/core/client.ts";
import { timestamp } from "../../src/core/clock.ts";
import {
  type Announce,
  type Appended,
  type ClearedBy,
  type CodeSession,
  type Counts,
  type Delivery,
  defaultWish,
  type Lease,
  type Loss,
  type Page,
  type PageMessage,
  type PageRequest,
  type Wish,
} from "../../src/core/store.ts";

interface Held {
  claim: string | null;
  claimedAt: number | null;
}

interface Row extends Held {
  id: number;
  sender: Client;
  message: string;
  sentAt: number;
  /** By whom and when. The author is among them only if the original said so. */
  readAt: Record<Client, string | null>;
  maybeShown: boolean;
  announced: boolean;
  lease: string | null;
  leasedAt: number | null;
  tries: number;
}

const window = 20;
const pageBytes = 65_536;

/**
 * design.md, "Tools" and "Announcing", over plain lists: what the methods of a Buffer must answer, told without SQL.
 * Nothing is durable and nobody waits. `now` is whatever the test says, in milliseconds.
 */
export class ReferenceBuffer {
  now = 1_700_000_000_000;
  rows: Row[] = [];
  losses: (Loss & Held & { audience: Client })[] = [];
  /** Lost messages that arrived after all, by their ids. */
  arrived = new Set<number>();
  wishes: Record<Client, Wish> = { desktop: defaultWish, code: defaultWish };
  lastLease: Record<Client, { name: string; at: number } | null> = { desktop: null, code: null };
  tickets = new Map<string, { words: string; mintedAt: number }>();
  lastId = 0;

  /** A new file is in the old one's place. */
  replace(): void {
    Object.assign(this, new ReferenceBuffer(), { now: this.now });
  }

  /** Time passes, or the clock is set. Somebody looks at the file then, and so forgets tickets that expired. */
  wait(milliseconds: number): void {
    this.now += milliseconds;
    for (const [key, { mintedAt }] of this.tickets)
      if (!isYoung(mintedAt, 30_000, this.now)) this.tickets.delete(key);
  }

  append(entry: {
    sender: Client;
    message: string;
    announce: Announce;
    claim: string;
  }): Omit<Appended, "file"> {
    const { sender, message, announce, claim } = entry;
    const row = this.insert(sender, message);
    const evicted = this.evict((a, b) => Number(isRead(b)) - Number(isRead(a)) || a.id - b.id);
    const own = this.untold(sender).filter((loss) => loss.sender === sender);
    for (const loss of own) this.hold(loss, claim);
    const reader = otherClient(sender);
    row.announced = announce === "never";
    const peace = announce === "now" ? this.peaceLeft(reader) : 0;
    return {
      lease: announce === "now" && peace === 0 ? this.leaseFor(reader, claim) : null,
      foldsIn: peace > 0 ? peace : null,
      id: row.id,
      unread: this.unread(reader).length,
      evicted: evicted.map(({ id }) => id),
      evicted_unread: evicted.filter((victim) => !isRead(victim)).map(({ id }) => id),
      losses: own.map(lossOf),
    };
  }

  claim(request: PageRequest, claim: string): Page {
    const page = this.peek(request);
    for (const row of this.rowsOf(page.messages.map(({ id }) => id))) {
      if (row.readAt[request.reader] !== null) continue;
      row.maybeShown ||= row.claimedAt !== null;
      this.hold(row, claim);
    }
    for (const loss of this.untold(request.reader)) this.hold(loss, claim);
    return page;
  }

  peek({ reader, limit, includeRead }: PageRequest): Page {
    const unread = this.unread(reader);
    const free = unread.filter((row) => !this.isHeld(row)).slice(0, limit);
    const fresh = fitting(free, pageBytes, true);
    const read = this.rows.filter((row) => row.sender !== reader && row.readAt[reader] !== null).reverse();
    const room = pageBytes - fresh.reduce((sum, row) => sum + bytesOf(row), 0);
    const fill =
      includeRead && fresh.length === free.length
        ? fitting(read.slice(0, limit - fresh.length), room, fresh.length === 0)
        : [];
    return {
      messages: [...fresh, ...fill].sort((a, b) => a.id - b.id).map(messageOf),
      remaining: unread.length - fresh.length,
      elsewhere: unread.filter((row) => this.isHeld(row)).length,
      losses: this.untold(reader).map(lossOf),
    };
  }

  lastPage(reader: Client): PageMessage[] {
    const read = this.rows.filter((row) => row.sender !== reader && row.readAt[reader] !== null);
    const last = read
      .map((row) => row.readAt[reader] ?? "")
      .sort()
      .at(-1);
    return read.filter((row) => row.readAt[reader] === last).map(messageOf);
  }

  latest(limit: number): PageMessage[] {
    const newest = fitting([...this.rows].reverse().slice(0, limit), pageBytes, true);
    return newest.reverse().map((row) => ({ ...messageOf(row), maybe_shown: false }));
  }

  present(claim: string, delivery: Delivery, taken: boolean): "delivered" | "begun" | "taken" {
    if (this.rowsOf(delivery.ids).some((row) => row.claim !== claim)) return "taken";
    for (const held of this.heldBy(claim)) this.hold(held, claim);
    if (taken) this.deliver(claim, delivery);
    return taken ? "delivered" : "begun";
  }

  deliver(claim: string, { reader, ids, readAt }: Delivery): void {
    this.losses = this.losses.filter((loss) => loss.claim !== claim && !ids.includes(loss.id));
    for (const id of ids) if (!this.rows.some((row) => row.id === id)) this.arrived.add(id);
    for (const row of this.rows.filter((held) => held.claim === claim)) {
      row.readAt[reader] = readAt;
      Object.assign(row, { claim: null, claimedAt: null, maybeShown: false });
    }
  }

  withdraw(claim: string, maybeShown: boolean): void {
    for (const row of this.rows) if (row.claim === claim) row.maybeShown ||= maybeShown;
    for (const held of this.heldBy(claim)) Object.assign(held, { claim: null, claimedAt: null });
  }

  reopen({ reader, ids, readAt }: Delivery, told: readonly Loss[]): void {
    for (const row of this.rowsOf(ids)) {
      if (row.readAt[reader] !== readAt) continue;
      row.readAt[reader] = null;
      row.maybeShown = true;
    }
    for (const id of ids) this.arrived.delete(id);
    const recordOnce = (audience: Client, id: number, sender: Client, clearedBy: Loss["cleared_by"]) => {
      if (!this.losses.some((loss) => loss.id === id && loss.audience === audience))
        this.record(audience, id, sender, clearedBy);
    };
    for (const id of ids.filter((missing) => !this.rows.some((row) => row.id === missing)))
      for (const audience of clients) recordOnce(audience, id, otherClient(reader), null);
    for (const { id, sender, cleared_by } of told)
      if (!this.arrived.has(id)) recordOnce(reader, id, sender, cleared_by);
  }

  clear(by: ClearedBy): { deleted: number; deleted_unread: number } {
    const deleted = this.remove(this.rows, by);
    return { deleted: deleted.length, deleted_unread: deleted.filter((row) => !isRead(row)).length };
  }

  wish(client: Client, wish: Wish): void {
    this.wishes[client] = wish;
  }

  /** `names` are what the leases of the two readers are to be called. */
  lease(early: boolean, names: Record<Client, string>): Lease[] {
    return clients
      .filter((reader) => early || this.peaceLeft(reader) === 0)
      .map((reader) => this.leaseFor(reader, names[reader]))
      .filter((lease) => lease !== null);
  }

  announced(lease: string): void {
    for (const row of this.rows.filter((leased) => leased.lease === lease))
      Object.assign(row, { announced: true, lease: null, leasedAt: null });
  }

  unannounced(lease: string): void {
    for (const row of this.rows.filter((leased) => leased.lease === lease))
      Object.assign(row, { lease: null, leasedAt: null });
    for (const reader of clients) if (this.lastLease[reader]?.name === lease) this.lastLease[reader] = null;
  }

  mint({ id, process }: CodeSession, words: string): void {
    this.tickets.set(`${id} ${process}`, { words, mintedAt: this.now });
  }

  redeem({ id, process }: CodeSession): string | null {
    const ticket = this.tickets.get(`${id} ${process}`);
    this.tickets.delete(`${id} ${process}`);
    return ticket?.words ?? null;
  }

  counts(): Counts {
    const last = this.rows.at(-1);
    return {
      total: this.rows.length,
      unread: { desktop: this.unread("desktop").length, code: this.unread("code").length },
      latest: last ? { id: last.id, sender: last.sender, timestamp: timestamp(last.sentAt) } : null,
    };
  }

  /** The original's send: the oldest go first, read or not. */
  originalSend(sender: Client, message: string): void {
    this.insert(sender, message);
    this.evict((a, b) => a.id - b.id);
  }

  /** The original's fetch: the newest of both sides, one's own included, none of which a claim protects. */
  originalFetch(reader: Client, limit: number): number[] {
    const page = this.rows.filter((row) => row.readAt[reader] === null).slice(-limit);
    for (const row of page) row.readAt[reader] = timestamp(this.now);
    return page.map(({ id }) => id);
  }

  private insert(sender: Client, message: string): Row {
    this.lastId += 1;
    const row: Row = {
      id: this.lastId,
      sender,
      message,
      sentAt: this.now,
      readAt: { desktop: null, code: null },
      claim: null,
      claimedAt: null,
      maybeShown: false,
      announced: false,
      lease: null,
      leasedAt: null,
      tries: 0,
    };
    this.rows.push(row);
    return row;
  }

  /** All but the newest are victims, in this order, until the rest fit the window. */
  private evict(order: (a: Row, b: Row) => number): Row[] {
    const victims = this.rows.slice(0, -1).sort(order);
    return this.remove(victims.slice(0, Math.max(0, this.rows.length - window)), null);
  }

  private remove(victims: readonly Row[], by: ClearedBy | null): Row[] {
    const removed = this.rows.filter((row) => victims.includes(row));
    this.rows = this.rows.filter((row) => !victims.includes(row));
    for (const { id, sender } of removed.filter((row) => !isRead(row)))
      for (const audience of clients) if (audience !== by) this.record(audience, id, sender, by);
    return removed;
  }

  private record(audience: Client, id: number, sender: Client, by: Loss["cleared_by"]): void {
    this.losses.push({ audience, id, sender, cleared_by: by, claim: null, claimedAt: null });
  }

  private leaseFor(reader: Client, name: string): Lease | null {
    const unannounced = this.unread(reader).filter((row) => !row.announced);
    const { notify, sound } = this.wishes[reader];
    if (!notify) for (const row of unannounced) row.announced = true;
    const leased = unannounced.filter(
      (row) =>
        !row.announced && row.tries < 2 && !isYoung(row.leasedAt, 20_000, this.now) && !this.isHeld(row),
    );
    const [oldest] = leased;
    if (!oldest) return null;
    const before = this.lastLease[reader];
    const more = before !== null && before.at <= this.now && oldest.sentAt < before.at + 2_000;
    const lease = { name, reader, count: leased.length, more: more && oldest.tries === 0, sound };
    for (const row of leased) Object.assign(row, { lease: name, leasedAt: this.now, tries: row.tries + 1 });
    this.lastLease[reader] = { name, at: this.now };
    return { ...lease, message: oldest.message };
  }

  private peaceLeft(reader: Client): number {
    const since = this.lastLease[reader]?.at ?? Number.POSITIVE_INFINITY;
    return since > this.now ? 0 : Math.max(0, since + 2_000 - this.now);
  }

  private unread(reader: Client): Row[] {
    return this.rows.filter((row) => row.sender !== reader && row.readAt[reader] === null);
  }

  private untold(audience: Client) {
    return this.losses.filter((loss) => loss.audience === audience && !this.isHeld(loss));
  }

  private rowsOf(ids: readonly number[]): Row[] {
    return this.rows.filter((row) => ids.includes(row.id));
  }

  private heldBy(claim: string): Held[] {
    return [...this.rows, ...this.losses].filter((held) => held.claim === claim);
  }

  private hold(held: Held, claim: string): void {
    Object.assign(held, { claim, claimedAt: this.now });
  }

  private isHeld({ claimedAt }: Held): boolean {
    return isYoung(claimedAt, 5_000, this.now);
  }
}

function isRead(row: Row): boolean {
  return row.readAt[otherClient(row.sender)] !== null;
}

/** Stamped in the future counts as expired: the clock was set back. */
function isYoung(since: number | null, good: number, now: number): boolean {
  return since !== null && since <= now && now - since < good;
}

function fitting(rows: readonly Row[], bytes: number, atLeastOne: boolean): Row[] {
  let used = 0;
  const end = rows.findIndex((row, place) => {
    used += bytesOf(row);
    return used > bytes && !(atLeastOne && place === 0);
  });
  return end < 0 ? [...rows] : rows.slice(0, end);
}

function bytesOf({ message }: Row): number {
  return Buffer.byteLength(message);
}

function lossOf({ id, sender, cleared_by }: Loss): Loss {
  return { id, sender, cleared_by };
}

// That a claim expired means that its page was perhaps shown.
function messageOf(row: Row): PageMessage {
  const { id, sender, message, sentAt, readAt, maybeShown, claimedAt } = row;
  return {
    id,
    sender,
    message,
    timestamp: timestamp(sentAt),
    read_by_desktop_at: readAt.desktop,
    read_by_code_at: readAt.code,
    maybe_shown: !isRead(row) && (maybeShown || claimedAt !== null),
  };
}
