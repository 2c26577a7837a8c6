import type { Client } from "./client.ts";
import { type Claim, claimHandle } from "./delivery.ts";
import { type Fate, fateOf } from "./drop-report.ts";
import { type Announcer, type AnnouncerOptions, createAnnouncer } from "./notifications.ts";
import {
  type ClearedBy,
  type CodeSession,
  type Counts,
  type Loss,
  type Page,
  type PageMessage,
  type PageRequest,
  unreadIds,
} from "./store.ts";

/** What a send answers. */
export interface Receipt {
  ok: true;
  id: number;
  /** How many messages now wait for the recipient. */
  unread: number;
  evicted: number[];
  evicted_unread: number[];
  /** Messages of the sender that were dropped unread before this send; left out if there are none. */
  dropped?: number[];
  /** Messages of the sender that were cleared unread before this send; left out if there are none. */
  cleared?: number[];
  /** Messages of the sender that were lost when the buffer was damaged; left out if there are none. */
  damaged?: number[];
}

/** The rules of relay over a buffer. Tools and commands call nothing else. */
export interface Relay {
  /** Stores a message. The claim, if there is one, is on the losses that the receipt tells. */
  send(
    entry: { sender: Client; message: string },
    signal?: AbortSignal,
  ): Promise<{ receipt: Receipt; claim: Claim | null }>;
  /** Claims a page. Without a claim the page is empty, and nothing need be confirmed. */
  fetch(request: PageRequest, signal?: AbortSignal): Promise<{ page: Page; claim: Claim | null }>;
  /** Looks at what a fetch would give, and changes nothing. */
  peek(request: PageRequest): Promise<Page>;
  /** What is left of the page that was delivered to this reader last, and changes nothing. */
  lastPage(reader: Client): Promise<PageMessage[]>;
  /** The newest messages of both sides, and changes nothing. */
  latest(limit: number): Promise<PageMessage[]>;
  /** Deletes every message. */
  clear(by: ClearedBy, signal?: AbortSignal): Promise<{ ok: true; deleted: number; deleted_unread: number }>;
  /** Notes that the person typed the command in this session, with these words after it. */
  mint(session: CodeSession, words: string): Promise<void>;
  /** Takes note of that, once: answers the words, or `null` if the person did not type the command just now. */
  redeem(session: CodeSession): Promise<string | null>;
  /** Counts, and changes nothing. */
  status(): Promise<Counts>;
  /** Tells people of what was sent. */
  announcer: Announcer;
}

/** Relay over this buffer. */
export function createRelay(options: AnnouncerOptions): Relay {
  const { buffer, clock } = options;
  const announcer = createAnnouncer(options);
  return {
    announcer,

    async send(entry, signal) {
      const name = crypto.randomUUID();
      const { announce } = announcer;
      const appended = await buffer.append({ ...entry, announce, claim: name }, signal);
      announcer.stored(appended);
      const { losses, lease, foldsIn, file, ...stored } = appended;
      const receipt: Receipt = { ok: true, ...stored, ...earlier(losses, stored.evicted_unread) };
      const held = { name, reader: entry.sender, ids: [], losses, file };
      return { receipt, claim: losses.length > 0 ? claimHandle(buffer, clock, held) : null };
    },

    async fetch(request, signal) {
      const name = crypto.randomUUID();
      const { file, ...page } = await buffer.claim({ ...request, claim: name }, signal);
      const ids = unreadIds(page.messages, request.reader);
      const held = { name, reader: request.reader, ids, losses: page.losses, file };
      return { page, claim: ids.length + page.losses.length > 0 ? claimHandle(buffer, clock, held) : null };
    },

    peek: (request) => buffer.peek(request),
    lastPage: (reader) => buffer.lastPage(reader),
    latest: (limit) => buffer.latest(limit),
    clear: async (by, signal) => ({ ok: true, ...(await buffer.clear(by, signal)) }),
    mint: (session, words) => buffer.mint(session, words),
    redeem: (session) => buffer.redeem(session),
    status: () => buffer.counts(),
  };
}

// What this very send evicted stands in the receipt already.
function earlier(losses: readonly Loss[], evicted: readonly number[]): Partial<Record<Fate, number[]>> {
  const told = losses.filter(({ id }) => !evicted.includes(id));
  const fates = Map.groupBy(told, fateOf);
  return Object.fromEntries([...fates].map(([fate, group]) => [fate, group.map(({ id }) => id)]));
}
