import type { Client } from "./client.ts";
import type { claimMilliseconds, lockMilliseconds, pageBytes, windowSize } from "./limits.ts";

/** A message as it is stored. A row that some other program wrote may hold any text as `timestamp`. */
export interface Message {
  id: number;
  sender: Client;
  message: string;
  timestamp: string;
  read_by_desktop_at: string | null;
  read_by_code_at: string | null;
}

/** When the client read the message; `null` if it did not yet. */
export function readBy(message: Message, client: Client): string | null {
  return client === "desktop" ? message.read_by_desktop_at : message.read_by_code_at;
}

/** A message on a page. */
export interface PageMessage extends Message {
  /** It was on its way once, and nobody knows whether it was shown. */
  maybe_shown: boolean;
}

/** The ids of those messages that the client has yet to read. */
export function unreadIds(messages: readonly PageMessage[], client: Client): number[] {
  return messages.filter((message) => readBy(message, client) === null).map((message) => message.id);
}

/** Who emptied the buffer: a client, a person on the command line, or an MCP client that nobody could name. */
export type ClearedBy = Client | "command line" | "unknown";

/** A message that went unread, to be told to its reader and to its author. */
export interface Loss {
  id: number;
  sender: Client;
  /** Whom it was cleared by, or what destroyed it; `null` when it was dropped because the window was full. */
  cleared_by: ClearedBy | "damage" | null;
}

/** What one fetch found. */
export interface Page {
  /** In time order. */
  messages: PageMessage[];
  /** How many unread messages for this reader are not on this page, `elsewhere` included. */
  remaining: number;
  /** How many unread messages are on their way to another fetch. */
  elsewhere: number;
  /** Unread messages lost since the reader was last told, both those that waited for it and those it wrote. */
  losses: Loss[];
}

/**
 * What a claim is on: it holds in the file in which it was made, by a number of this process's own. Another file has
 * other messages by the same ids.
 */
export interface Claimed {
  file: number;
}

/** What a client wants to be told by the system. */
export interface Wish {
  /** Whether there is a notification when a message arrives. */
  notify: boolean;
  /** The sound that goes with it: `"off"`, `"default"`, or a name that the system knows. */
  sound: string;
}

/** The wish of a client that never said any. */
export const defaultWish: Wish = { notify: true, sound: "default" };

/** Messages that one process is to announce to their reader, all at once, before anybody else may. */
export interface Lease {
  name: string;
  reader: Client;
  /** How many messages it covers. */
  count: number;
  /** They arrived so soon after an announcement that they are told as its continuation. */
  more: boolean;
  /** The text of the oldest of them. */
  message: string;
  /** As in {@link Wish}. */
  sound: string;
}

/**
 * What is to be done about announcing a new message: `"now"` leases it unless its reader is to be left in peace,
 * `"later"` leaves it to others, `"never"` counts it as announced.
 */
export type Announce = "now" | "later" | "never";

/** What became of a send. */
export interface Appended extends Claimed {
  /** What the caller is to announce now: the new message, and others that nobody announced. */
  lease: Lease | null;
  /** In how many milliseconds the caller is to ask for a lease, because the message arrived so soon after another. */
  foldsIn: number | null;
  id: number;
  /** How many messages now wait for the recipient. */
  unread: number;
  /** What had to go to make room, in order. */
  evicted: number[];
  /** Those of `evicted` that nobody had read. */
  evicted_unread: number[];
  /** The author's own messages lost unread, by this send or before it, that it was not told of yet. */
  losses: Loss[];
}

/** How many messages there are and wait, and the newest one, without its text. */
export interface Counts {
  total: number;
  unread: Record<Client, number>;
  latest: { id: number; sender: Client; timestamp: string } | null;
}

/** A Claude Code session, in the process that it runs in. */
export interface CodeSession {
  id: string;
  process: number;
}

/** How many of the messages, from the first one on, a page can hold that tells of these losses. */
export type Fit = (messages: readonly PageMessage[], losses: readonly Loss[]) => number;

/** What a claim asks for. */
export interface PageRequest {
  reader: Client;
  /** 1 to {@link windowSize}. */
  limit: number;
  /** Fill the rest of the page with the latest messages this reader has read before. */
  includeRead: boolean;
  /** Decides what the page can hold, perhaps nothing; {@link pageBytes} decide if it is left out, and at least one message fits. */
  fit?: Fit;
}

/** Who reads which messages, and when. Those of `ids` that were lost while they were on their way are no loss. */
export interface Delivery extends Claimed {
  reader: Client;
  ids: readonly number[];
  readAt: string;
}

/**
 * Where messages wait. Each method is exactly one transaction, or none where it says so; it waits up to
 * {@link lockMilliseconds} for other processes without holding up its own, and gives up early when `signal` aborts.
 * Calls take effect in their order, but what settles a claim or a lease goes before what has yet to begin. All throw a
 * `buffer` error when the buffer cannot be used; then nothing was changed, unless the disk failed in the commit.
 *
 * A `claim` is a caller's unique name for a page, or for the losses on a receipt, on their way to somebody.
 * What it holds is nobody else's until it is delivered, withdrawn, or {@link claimMilliseconds} old.
 */
export interface Buffer {
  /** Stores a message durably, makes room for it, and claims the losses its author was not told of. */
  append(
    entry: { sender: Client; message: string; announce: Announce; claim: string },
    signal?: AbortSignal,
  ): Promise<Appended>;
  /** Claims the oldest unread messages for the reader, and the losses it was not told of. */
  claim(request: PageRequest & { claim: string }, signal?: AbortSignal): Promise<Page & Claimed>;
  /** The page that {@link Buffer.claim} would give, claiming nothing. */
  peek(request: PageRequest): Promise<Page>;
  /** What is left of the page that was delivered to this reader last, claiming nothing. */
  lastPage(reader: Client): Promise<PageMessage[]>;
  /** The newest messages of both sides in time order, claiming nothing. */
  latest(limit: number): Promise<PageMessage[]>;
  /**
   * Shows a page and marks it in one stroke, so that no other process can know of the one and not of the other.
   * `write` begins to write and tells whether all of it was taken at once. `delivered`: it was, and what the claim
   * holds is read. `begun`: it is being written, and the claim's time starts anew. `taken`: some of `ids` meanwhile
   * went to another reader. Where another file is at the path than the one that was claimed in, there is nothing to be
   * marked. A try may come to nothing after `write`: should this throw or answer `taken`, it may have been called.
   */
  present(claim: string, delivery: Delivery, write: () => boolean): Promise<"delivered" | "begun" | "taken">;
  /** Marks what the claim still holds as read, unless another file is at the path. */
  deliver(claim: string, delivery: Delivery): Promise<void>;
  /** Gives back what the claim holds; with `maybeShown` the messages are labelled so from then on. */
  withdraw(claim: string, maybeShown: boolean): Promise<void>;
  /**
   * Undoes a delivery: what the reader read at exactly `readAt` is unread and perhaps shown, what is not there any more
   * is lost, the losses are untold again; nothing of that if another file is at the path.
   */
  reopen(page: Delivery & { losses: readonly Loss[] }): Promise<void>;
  /** Deletes every message; tells the other side, or both if no client did it, of those that nobody had read. */
  clear(by: ClearedBy, signal?: AbortSignal): Promise<{ deleted: number; deleted_unread: number }>;
  /** Stores what the client wants from now on. A wish that is not the default one makes the file. */
  wish(client: Client, wish: Wish): Promise<void>;
  /**
   * Leases everything unread that nobody announced, a lease for each reader; `early` does not wait for the end of a
   * reader's peace. `own` is a wish to store, should the file
   * have been replaced by one that knows of none.
   */
  lease(options?: { early?: boolean; own?: { client: Client; wish: Wish } | undefined }): Promise<Lease[]>;
  /**
   * Whether the last call of {@link Buffer.lease} found nothing left, and neither this process nor another one changed
   * anything since. Not a transaction: it looks at the file's time alone, because servers ask every 2 s.
   */
  isQuiet(): boolean;
  /** Counts what the lease holds as announced. */
  announced(lease: string): Promise<void>;
  /** Gives back what the lease holds, for somebody else to try. Its reader saw nothing and need not be left in peace. */
  unannounced(lease: string): Promise<void>;
  /** Makes the session's ticket, which carries these words. One that it did not use yet is worth nothing any more. */
  mint(session: CodeSession, words: string): Promise<void>;
  /** Takes the session's ticket and answers its words, or `null` if it has none that is good. */
  redeem(session: CodeSession): Promise<string | null>;
  /** Counts without changing anything. */
  counts(): Promise<Counts>;
  /** Lets go of the file. Later calls open it again. */
  close(): void;
}
