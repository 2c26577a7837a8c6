import type { Client } from "./client.ts";
import type { Message, NewMessage, TypedIn } from "./message.ts";

/** A message on a page. */
export interface PageMessage extends Message {
  /** It was on a page before that may have been shown. */
  redelivered: boolean;
}

/** The author of a clear: a client, a person on the command line, or an MCP client that gave no name. */
export type ClearedBy = Client | "command line" | "unknown";

/** A message that left the buffer before its reader read it. */
export interface Dropped {
  id: number;
  /** `null` if it made room for another message. */
  cleared_by: ClearedBy | null;
}

/** The size limit of a page: that of a tool's or a command's answer, or that of a typed `/get`. */
export type PageSize = "tool" | "typed";

/**
 * The way in which a page was asked for, as far as relay knows it. `"hosted tool"`: a tool call in a Claude Code whose
 * questions another program answers.
 */
export type Origin = "command" | "prompt" | "tool" | "approved tool" | "hosted tool" | "typed";

/** The origin of a page. */
export interface Source {
  origin: Origin;
  /** The name of the folder of Claude Code's project; `null` if relay does not know it. */
  project: string | null;
}

/** A request for a page. */
export interface PageRequest extends Source {
  reader: Client;
  /** 1 to 20. */
  limit: number;
  /** Fill the rest of the page with the latest messages that this reader read before. */
  includeRead: boolean;
  size: PageSize;
  /** The only unread messages that it may bring. */
  only?: readonly number[];
}

/** Messages for one reader, and a report of those that it missed. */
export interface Page {
  /** In time order. At least one if any is unread and not in flight, unless `tooLong` names it. */
  messages: PageMessage[];
  /** The number of unread messages that are not on this page, those in flight included. */
  remaining: number;
  /** The number of unread messages on a page to another reader. */
  inFlight: number;
  /** Messages that this reader missed and no page has reported yet. */
  dropped: Dropped[];
  /** The id of the message that ended the page because no page of this size can hold it. */
  tooLong: number | null;
}

/** A page on its way to its reader. No other reader gets its messages until it is acked, released, or 5 s old. */
export interface Lease extends Source {
  id: string;
  reader: Client;
  /** The unread messages on the page. */
  unread: readonly number[];
  /** The messages that the page reports as dropped. */
  dropped: readonly Dropped[];
}

/** A leased page. `lease` is `null` if the page holds nothing that needs an ack. */
export interface LeasedPage {
  page: Page;
  lease: Lease | null;
}

/** A client's notification preference. */
export interface NotificationPreference {
  notify: boolean;
  /** `"off"`, `"default"`, or the name of a sound. */
  sound: string;
}

/** The preference of a client that never stated one. */
export const defaultPreference: NotificationPreference = { notify: true, sound: "default" };

/** Whether a preference is the default one. */
export function isDefaultPreference({ notify, sound }: NotificationPreference): boolean {
  return notify === defaultPreference.notify && sound === defaultPreference.sound;
}

/** Messages that one process announces to their reader in one notification. */
export interface NotificationLease {
  id: string;
  reader: Client;
  count: number;
  /** They came within the cooldown of a notification, so that this one says "more". */
  more: boolean;
  /** The text of the oldest message. */
  message: string;
  /** The place where the person typed all of them; `null` if a model wrote one. */
  typed_in: TypedIn | null;
  /** As in {@link NotificationPreference}. */
  sound: string;
}

/** The preference of one client. */
export interface ClientPreference {
  client: Client;
  preference: NotificationPreference;
}

/** The announcer of a new message: this process (`"now"`), another one (`"later"`), or nobody (`"never"`). */
export type NotificationPolicy = "now" | "later" | "never";

/** A stored message's id, and its effects on the buffer. */
export interface Appended {
  id: number;
  /** The number of messages that now wait for the reader. */
  unread: number;
  /** The messages that made room, in order. */
  evicted: number[];
  /** Those of `evicted` that were unread. */
  evicted_unread: number[];
  /** The notification that the caller shows now, if any. */
  notification: NotificationLease | null;
}

/** The last delivery of unread messages to a client: their number, and the time of the ack. */
export interface Delivered extends Source {
  count: number;
  at: string;
}

/** The numbers of messages, the newest one without its text, and each client's last delivery. */
export interface Counts {
  total: number;
  unread: Record<Client, number>;
  latest: { id: number; sender: Client; timestamp: string } | null;
  delivered: Record<Client, Delivered | null>;
}

/** A Claude Code session, in the process that it runs in. */
export interface CodeSession {
  id: string;
  process: number;
  /** As in {@link Source}. Hooks know it, inline commands do not (facts.md). */
  project: string | null;
}

/** What a typed command brings. The person is shown the first lines of the messages with these ids. */
export interface Ticket {
  /** `again` or an id, for messages once more; empty for unread ones. */
  words: string;
  ids: readonly number[];
}

/** A redeemed ticket, and the page of one for unread messages. */
export interface Redeemed extends Ticket {
  leased: LeasedPage | null;
}

/**
 * The port for stored messages. Each method is one transaction, in the order of the calls. It waits up to 5 s for other
 * processes, and gives up early when `signal` aborts. All throw a `buffer` error if the buffer cannot be used; then
 * nothing was changed, unless the disk failed in the commit. A buffer that does not exist counts as empty, and only a
 * method that stores something makes it.
 */
export interface Store {
  /** Stores a message durably and makes room for it. */
  append(message: NewMessage & { notify: NotificationPolicy }, signal?: AbortSignal): Promise<Appended>;
  /** Leases the oldest unread messages to the reader. */
  lease(request: PageRequest, signal?: AbortSignal): Promise<LeasedPage>;
  /** Starts the lease's time again. `false`: some of its messages went to another reader, so it must not be written. */
  renew(lease: Lease): Promise<boolean>;
  /** Marks the messages that the lease still holds as read, and its dropped messages as reported. Notes the delivery. */
  ack(lease: Lease): Promise<void>;
  /** Offers the messages again, labelled if `redelivered`. */
  release(lease: Lease, redelivered: boolean): Promise<void>;
  /** Takes an ack back: makes the messages unread again, and labels them. */
  undeliver(lease: Lease): Promise<void>;
  /** The page that {@link Store.lease} would give. Changes nothing. */
  peek(request: PageRequest): Promise<Page>;
  /** The messages that this reader read last, as far as they are still there. Changes nothing. */
  lastPage(reader: Client): Promise<PageMessage[]>;
  /** The messages with these ids, as far as they are still there, in time order. Changes nothing. */
  find(ids: readonly number[]): Promise<PageMessage[]>;
  /** The newest messages of both sides in time order. Changes nothing. */
  latest(limit: number): Promise<PageMessage[]>;
  /** Counts messages. Changes nothing. */
  counts(): Promise<Counts>;
  /**
   * Deletes every message, and notes the unread ones for their readers, `by` excepted. Those of a clear on the command line
   * are noted for whichever of the two reads first.
   */
  clear(by: ClearedBy, signal?: AbortSignal): Promise<{ deleted: number; deleted_unread: number }>;
  /** Stores a client's preference. */
  prefer(client: Client, preference: NotificationPreference): Promise<void>;
  /**
   * Leases unannounced messages, one lease for each reader. `final`: this process will not look again. `own`: the
   * preference of this process's client, stored again if the store was replaced by one that knows none.
   */
  leaseNotifications(options?: { final?: boolean; own?: ClientPreference | null }): Promise<NotificationLease[]>;
  /** Marks the messages of a shown notification as announced. */
  markNotified(lease: NotificationLease): Promise<void>;
  /** Gives back a notification that was not shown, for another process to try. */
  releaseNotification(lease: NotificationLease): Promise<void>;
  /** Issues the session's only ticket; `null` removes it. `false`: none, because it asked in vain in the last 10 s. */
  issueTicket(session: CodeSession, ticket: Ticket | null): Promise<boolean>;
  /**
   * Redeems the session's ticket; `null` if there is no valid one, which is noted for 10 s. If it has no words, a page of
   * its messages is leased in the same transaction, for the project in which it was issued.
   */
  redeemTicket(session: CodeSession, request: PageRequest): Promise<Redeemed | null>;
  /** Closes the buffer. Later calls open it again. */
  close(): void;
}
