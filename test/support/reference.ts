import type { NewAttachment } from "../../src/core/attachment.ts";
import { type Client, otherClient } from "../../src/core/client.ts";
import { timestamp } from "../../src/core/clock.ts";
import type { ClearedBy, Dropped, Lease, Page, PageMessage, PageRequest } from "../../src/core/leased-page.ts";
import type { Message, NewMessage } from "../../src/core/message.ts";
import type { Appended, Cleared, Counts, LoggedMessage } from "../../src/core/store.ts";

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
  project: string | null;
  replyTo: number | null;
}

type DroppedRow = Omit<Dropped, "kept"> & { reader: Client; project: string | null };

const windowSize = 20;
const pageBytes = 65_536;
const leaseMs = 5_000;

/** What a store must answer about messages, told over plain lists. Nothing is durable, and the test sets `now`. */
export class ReferenceStore {
  now = Date.now(); // the history ages by SQLite's own clock
  #rows: Row[] = [];
  #dropped: DroppedRow[] = [];
  /** What left the window. */
  #history: Row[] = [];
  /** The projects of which sessions were seen, by their names in lower case. */
  readonly #seen = new Map<string, string>();
  readonly #delivered: Record<Client, { at: string; project: string | null } | null> = { desktop: null, code: null };
  lastId = 0;

  /** `null` if the message answers one that is nowhere. */
  append({
    sender,
    message,
    project: named = null,
    reply_to = null,
    files = [],
  }: NewMessage): Omit<Appended, "notification"> | null {
    const answered = this.#find(reply_to);
    if (reply_to !== null && !answered) return null;
    const project = named ?? answered?.project ?? null;
    const id = this.#insert(sender, message, project, reply_to, files);
    if (project !== null && sender === "code") this.#seen.set(project.toLowerCase(), project);
    const isUnseen = project !== null && sender === "desktop" && !this.#seen.has(project.toLowerCase());
    const evicted = this.#evict((a, b) => Number(isRead(b)) - Number(isRead(a)) || a.id - b.id);
    return {
      id,
      unread: this.#unread(otherClient(sender)).length,
      evicted: evicted.map((row) => row.id),
      evicted_unread: evicted.filter((row) => !isRead(row)).map((row) => row.id),
      project,
      seenProjects: isUnseen ? [...this.#seen.values()].sort() : null,
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

  peek({ reader, limit, includeRead, project: own, everyProject = false }: PageRequest): Page {
    const project = reader === "desktop" || everyProject ? null : own;
    const unread = this.#unread(reader).filter((row) => isFor(row, project));
    const others = this.#unread(reader).filter((row) => !isFor(row, project));
    const free = unread.filter((row) => !this.#isInFlight(row)).slice(0, limit);
    const fresh = fitting(free);
    const before = readBy(this.#rows, reader, project)
      .reverse()
      .slice(0, limit - fresh.length);
    const isFilled = includeRead && fresh.length === free.length;
    const shown = isFilled ? fitting([...fresh, ...before]) : fresh;
    return {
      messages: shown.sort((a, b) => a.id - b.id).map((row) => this.#onPage(row)),
      remaining: unread.length - fresh.length,
      others: byProject(others),
      inFlight: unread.filter((row) => this.#isInFlight(row)).length,
      dropped: this.#untold(reader, project),
      tooLong: null,
    };
  }

  lastPage(reader: Client, project: string | null): PageMessage[] {
    const read = readBy(this.#everywhere(), reader, null);
    const delivered = this.#delivered[reader];
    const isBrought = (row: Row) => delivered?.project === project && delivered.at === row.readAt[reader];
    const last = read
      .filter((row) => isFor(row, project) || isBrought(row))
      .map((row) => row.readAt[reader] ?? "")
      .sort()
      .at(-1);
    return read.filter((row) => row.readAt[reader] === last).map((row) => this.#onPage(row));
  }

  log(): LoggedMessage[] {
    return this.#everywhere().map((row) => ({ ...messageOf(row), left: this.#history.includes(row) }));
  }

  counts(): Pick<Counts, "total" | "history" | "unread" | "projects"> {
    const unread = { desktop: this.#unread("desktop"), code: this.#unread("code") };
    return {
      total: this.#rows.length,
      history: this.#history.length,
      unread: { desktop: unread.desktop.length, code: unread.code.length },
      projects: byProject(unread.code.filter(({ project }) => project !== null)),
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
    const { reader, project } = lease;
    const at = timestamp(this.now);
    const evicted = this.#history.filter((row) => lease.unread.includes(row.id) && row.readAt[reader] === null);
    const held = this.#heldBy(lease);
    for (const row of [...held, ...evicted]) row.readAt[reader] = at;
    for (const row of held) Object.assign(row, { leasedAt: null, redelivered: false });
    if (held.length + evicted.length > 0) this.#delivered[reader] = { at, project };
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
    const projectOf = (wanted: number) => this.#history.find((row) => row.id === wanted)?.project ?? null;
    for (const { id, cleared_by } of dropped)
      if (!isKnown(id)) this.#dropped.push({ id, cleared_by, reader, project: projectOf(id) });
    for (const row of this.#rows.filter(({ lease, leasedAt }) => lease === id && leasedAt === null)) {
      row.readAt[reader] = null;
      Object.assign(row, { lease: null, redelivered: true });
    }
  }

  clear(by: ClearedBy): Cleared {
    const removed = this.#remove(this.#rows, by);
    const unread = removed.filter((row) => !isRead(row)).length;
    const history = this.#history.length;
    this.#history = [];
    return { deleted: removed.length, deleted_unread: unread, deleted_history: history };
  }

  /** The files of a message in window or history. */
  filesOf(id: number): NewAttachment[] {
    return [...(this.#find(id)?.files ?? [])];
  }

  /** Nobody can tell what the original clears from what it evicts. */
  originalClear(): void {
    this.#remove(this.#rows, null);
  }

  #insert(
    sender: Client,
    message: string,
    project: string | null = null,
    replyTo: number | null = null,
    files: readonly NewAttachment[] = [],
  ): number {
    const id = ++this.lastId;
    const fresh = { readAt: { desktop: null, code: null }, lease: null, leasedAt: null, redelivered: false };
    this.#rows.push({ id, sender, message, sentAt: this.now, ...fresh, project, replyTo, files });
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
    if (by === null) this.#history.push(...removed);
    for (const row of removed.filter((unread) => !isRead(unread))) {
      const reader = otherClient(row.sender);
      if (reader !== by) this.#dropped.push({ id: row.id, reader, cleared_by: by, project: row.project });
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

  #everywhere(): Row[] {
    return [...this.#history, ...this.#rows].sort((a, b) => a.id - b.id);
  }

  #find(id: number | null): Row | undefined {
    return this.#everywhere().find((row) => row.id === id);
  }

  #untold(of: Client, project: string | null): Dropped[] {
    const isKept = (id: number) => this.#history.some((row) => row.id === id);
    return this.#dropped
      .filter((row) => (row.reader === of && isFor(row, project)) || row.cleared_by === "command line")
      .sort((a, b) => a.id - b.id)
      .map(({ id, cleared_by }) => ({ id, kept: isKept(id), cleared_by }));
  }

  // SQLite ends a part of a text at its first NUL. The page of an expired lease may have been shown.
  #onPage(row: Row): PageMessage {
    const text = this.#find(row.replyTo)?.message.split("\0", 1)[0];
    const answered = text === undefined ? null : [...text].slice(0, 400).join("");
    return { ...messageOf(row), answered, redelivered: !isRead(row) && (row.redelivered || row.leasedAt !== null) };
  }
}

function isFor({ project }: { project: string | null }, own: string | null): boolean {
  return own === null || project === null || project.toLowerCase() === own.toLowerCase();
}

function readBy(rows: readonly Row[], reader: Client, project: string | null): Row[] {
  return rows.filter((row) => row.sender !== reader && row.readAt[reader] !== null && isFor(row, project));
}

function byProject(rows: readonly Row[]): Counts["projects"] {
  const groups = Map.groupBy(rows, ({ project }) => project?.toLowerCase());
  return [...groups.values()].map((group) => ({ project: group[0]?.project ?? "", count: group.length }));
}

function isRead(row: Row): boolean {
  return row.readAt[otherClient(row.sender)] !== null;
}

// All files are texts, which stand in a page for Desktop.
function fitting(rows: readonly Row[]): Row[] {
  let used = 0;
  const end = rows.findIndex(({ sender, message, files }, index) => {
    used += Buffer.byteLength(message);
    if (sender === "code") used += files.reduce((sum, { size }) => sum + size, 0);
    return used > pageBytes && index > 0;
  });
  return end < 0 ? [...rows] : rows.slice(0, end);
}

function messageOf({ id, sender, message, sentAt, readAt, project, replyTo, files }: Row): Message {
  return {
    id,
    sender,
    message,
    timestamp: timestamp(sentAt),
    read_by_desktop_at: readAt.desktop,
    read_by_code_at: readAt.code,
    typed_in: null,
    project,
    reply_to: replyTo,
    files: files.map(({ content: _, ...file }) => ({ ...file, kept: true })),
  };
}
