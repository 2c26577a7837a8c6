import type { NewAttachment } from "../../src/core/attachment.ts";
import { type Client, otherClient } from "../../src/core/client.ts";
import { timestamp } from "../../src/core/clock.ts";
import type { ClearedBy, Dropped, Lease, Page, PageMessage, PageRequest } from "../../src/core/leased-page.ts";
import type { Appended, Cleared } from "../../src/core/store.ts";

interface Row {
  id: number;
  sender: Client;
  message: string;
  sentAt: number;
  /** By whom and when. The author is among them only if the original says so. */
  readAt: Record<Client, string | null>;
  lease: string | null;
  leasedAt: number | null;
  redelivered: boolean;
  files: readonly NewAttachment[];
}

const windowSize = 20;
const pageBytes = 65_536;
const leaseMs = 5_000;

/** What a store must answer about messages, told over plain lists. Nothing is durable, and the test sets `now`. */
export class ReferenceStore {
  now = 1_800_000_000_000;
  #rows: Row[] = [];
  #dropped: (Omit<Dropped, "kept"> & { reader: Client })[] = [];
  /** What left the window. */
  readonly #history = new Map<number, Row>();
  lastId = 0;

  append(sender: Client, message: string, files: readonly NewAttachment[]): Omit<Appended, "notification"> {
    const id = this.#insert(sender, message, files);
    const evicted = this.#evict((a, b) => Number(isRead(b)) - Number(isRead(a)) || a.id - b.id);
    return {
      id,
      unread: this.#unread(otherClient(sender)).length,
      evicted: evicted.map((row) => row.id),
      evicted_unread: evicted.filter((row) => !isRead(row)).map((row) => row.id),
      project: null,
      seenProjects: null,
    };
  }

  /** The original drops the oldest messages, read or not. */
  originalSend(sender: Client, message: string): number {
    const id = this.#insert(sender, message);
    this.#evict((a, b) => a.id - b.id);
    return id;
  }

  /** The original takes the newest messages of both sides, whatever page they are on. */
  originalFetch(reader: Client, limit: number): number[] {
    const page = this.#rows.filter((row) => row.readAt[reader] === null).slice(-limit);
    for (const row of page) row.readAt[reader] = timestamp(this.now);
    return page.map(({ id }) => id);
  }

  peek({ reader, limit, includeRead }: PageRequest): Page {
    const unread = this.#unread(reader);
    const free = unread.filter((row) => !this.#isInFlight(row)).slice(0, limit);
    const fresh = fitting(free, pageBytes, true);
    const used = fresh.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0);
    const before = this.#readBy(reader)
      .reverse()
      .slice(0, limit - fresh.length);
    const isFilled = includeRead && fresh.length === free.length;
    const filling = isFilled ? fitting(before, pageBytes - used, fresh.length === 0) : [];
    return {
      messages: [...fresh, ...filling].sort((a, b) => a.id - b.id).map(messageOf),
      remaining: unread.length - fresh.length,
      others: [],
      inFlight: unread.filter((row) => this.#isInFlight(row)).length,
      dropped: this.#untold(reader),
      tooLong: null,
    };
  }

  lease(request: PageRequest, id: string): { page: Page; lease: Lease | null } {
    const page = this.peek(request);
    const { reader, origin, project } = request;
    const rows = this.#rows.filter((row) => page.messages.some((message) => message.id === row.id));
    const unread = rows.filter((row) => row.readAt[reader] === null);
    for (const row of unread) {
      row.redelivered ||= row.leasedAt !== null;
      Object.assign(row, { lease: id, leasedAt: this.now });
    }
    const lease = {
      id,
      reader,
      unread: unread.map((row) => row.id),
      dropped: page.dropped,
      origin,
      project,
    };
    return { page, lease: lease.unread.length + lease.dropped.length > 0 ? lease : null };
  }

  renew(lease: Lease): boolean {
    const held = this.#heldBy(lease);
    const there = this.#rows.filter((row) => lease.unread.includes(row.id));
    if (held.length < there.length) return false;
    for (const row of held) row.leasedAt = this.now;
    return true;
  }

  ack(lease: Lease): void {
    for (const row of this.#heldBy(lease)) {
      row.readAt[lease.reader] = timestamp(this.now);
      Object.assign(row, { leasedAt: null, redelivered: false });
    }
    const told = [...lease.unread, ...lease.dropped.map((each) => each.id)];
    this.#dropped = this.#dropped.filter(({ id }) => !told.includes(id));
  }

  release(lease: Lease, redelivered: boolean): void {
    for (const row of this.#heldBy(lease)) {
      row.redelivered ||= redelivered;
      Object.assign(row, { lease: null, leasedAt: null });
    }
  }

  undeliver({ id, reader, dropped }: Lease): void {
    const isKnown = (wanted: number) => this.#dropped.some((known) => known.id === wanted);
    for (const { id, cleared_by } of dropped) if (!isKnown(id)) this.#dropped.push({ id, cleared_by, reader });
    for (const row of this.#rows.filter(({ lease, leasedAt }) => lease === id && leasedAt === null)) {
      row.readAt[reader] = null;
      Object.assign(row, { lease: null, redelivered: true });
    }
  }

  clear(by: ClearedBy): Cleared {
    const removed = this.#remove(this.#rows, by);
    const unread = removed.filter((row) => !isRead(row)).length;
    const history = this.#history.size;
    this.#history.clear();
    return { deleted: removed.length, deleted_unread: unread, deleted_history: history };
  }

  /** The files of a message in window or history. */
  filesOf(id: number): NewAttachment[] {
    return [...((this.#rows.find((row) => row.id === id) ?? this.#history.get(id))?.files ?? [])];
  }

  #insert(sender: Client, message: string, files: readonly NewAttachment[] = []): number {
    const id = ++this.lastId;
    const fresh = { readAt: { desktop: null, code: null }, lease: null, leasedAt: null, redelivered: false };
    this.#rows.push({ id, sender, message, sentAt: this.now, files, ...fresh });
    return id;
  }

  /** All but the newest leave in this order, until the window is not too full. */
  #evict(order: (a: Row, b: Row) => number): Row[] {
    const excess = Math.max(0, this.#rows.length - windowSize);
    return this.#remove(this.#rows.slice(0, -1).sort(order).slice(0, excess), null);
  }

  #remove(victims: readonly Row[], by: ClearedBy | null): Row[] {
    const removed = this.#rows.filter((row) => victims.includes(row));
    this.#rows = this.#rows.filter((row) => !victims.includes(row));
    if (by === null) for (const row of removed) this.#history.set(row.id, row);
    for (const row of removed.filter((unread) => !isRead(unread))) {
      const reader = otherClient(row.sender);
      if (reader !== by) this.#dropped.push({ id: row.id, reader, cleared_by: by });
    }
    return removed;
  }

  #heldBy({ id }: Lease): Row[] {
    return this.#rows.filter(({ lease, leasedAt }) => lease === id && leasedAt !== null);
  }

  #isInFlight({ leasedAt }: Row): boolean {
    return leasedAt !== null && leasedAt <= this.now && this.now - leasedAt < leaseMs;
  }

  #unread(reader: Client): Row[] {
    return this.#rows.filter((row) => row.sender !== reader && row.readAt[reader] === null);
  }

  #readBy(reader: Client): Row[] {
    return this.#rows.filter((row) => row.sender !== reader && row.readAt[reader] !== null);
  }

  #untold(of: Client): Dropped[] {
    return this.#dropped
      .filter(({ reader, cleared_by }) => reader === of || cleared_by === "command line")
      .sort((a, b) => a.id - b.id)
      .map(({ id, cleared_by }) => ({ id, kept: this.#history.has(id), cleared_by }));
  }
}

function isRead(row: Row): boolean {
  return row.readAt[otherClient(row.sender)] !== null;
}

function fitting(rows: readonly Row[], bytes: number, atLeastOne: boolean): Row[] {
  let used = 0;
  const end = rows.findIndex(({ message }, index) => {
    used += Buffer.byteLength(message);
    return used > bytes && !(atLeastOne && index === 0);
  });
  return end < 0 ? [...rows] : rows.slice(0, end);
}

// The page of an expired lease may have been shown.
function messageOf(row: Row): PageMessage {
  const { id, sender, message, sentAt, readAt, redelivered, leasedAt, files } = row;
  return {
    id,
    sender,
    message,
    timestamp: timestamp(sentAt),
    read_by_desktop_at: readAt.desktop,
    read_by_code_at: readAt.code,
    typed_in: null,
    project: null,
    reply_to: null,
    files: files.map(({ content: _, ...file }) => ({ ...file, kept: true })),
    answered: null,
    redelivered: !isRead(row) && (redelivered || leasedAt !== null),
  };
}
