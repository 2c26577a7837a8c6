import type { Client } from "./client.ts";

/** A message as it is stored. Other programs write the table too, so `timestamp` may be any text. */
export interface Message {
  id: number;
  sender: Client;
  message: string;
  timestamp: string;
  read_by_desktop_at: string | null;
  read_by_code_at: string | null;
}

/** When the client read the message; `null` if it is unread. */
export function readAt(message: Message, client: Client): string | null {
  return client === "desktop" ? message.read_by_desktop_at : message.read_by_code_at;
}

/** A message on a page. */
export interface PageMessage extends Message {
  /** It was on a page before that may have been shown. */
  redelivered: boolean;
}

/** Who emptied the buffer: a client, a person on the command line, or an MCP client that gave no name. */
export type ClearedBy = Client | "command line" | "unknown";

/** A message that left the buffer before its reader read it. */
export interface Dropped {
  id: number;
  /** Who cleared it; `null` if it had to make room. */
  cleared_by: ClearedBy | null;
}

/** How large a page may be: as the answer of a tool or a command, or as the prompt of a typed `/get`. */
export type PageSize = "tool" | "typed";

/** What a page is asked to hold. */
export interface PageRequest {
  reader: Client;
  /** 1 to 20. */
  limit: number;
  /** Fill the rest of the page with the latest messages that this reader read before. */
  includeRead: boolean;
  size: PageSize;
}

/** The messages for one reader, and what else it is told. */
export interface Page {
  /** In time order. At least one if any is unread and not in flight, unless `tooLong` says why not. */
  messages: PageMessage[];
  /** How many unread messages are not on this page, those in flight included. */
  remaining: number;
  /** How many unread messages are on a page to another reader. */
  inFlight: number;
  /** Messages that this reader missed and was not told of yet. */
  dropped: Dropped[];
  /** The id of the message that ended the page because no page of this size can hold it; `null` if none did. */
  tooLong: number | null;
}

/** A page on its way to its reader. Nobody else gets its messages until it is acked, released, or 5 s old. */
export interface Lease {
  id: string;
  reader: Client;
  /** The unread messages on the page. */
  unread: readonly number[];
  /** The messages that the page names as dropped. */
  dropped: readonly number[];
}

/** A leased page. `lease` is `null` if the page holds nothing that needs an ack. */
export interface LeasedPage {
  page: Page;
  lease: Lease | null;
}

/** How a client wants to be told of messages. */
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

/** Messages that one process is to announce to their reader in one notification. */
export interface NotificationLease {
  id: string;
  reader: Client;
  count: number;
  /** The messages follow so soon on a notification that this one says "more". */
  more: boolean;
  /** The text of the oldest message. */
  message: string;
  /** As in {@link NotificationPreference}. */
  sound: string;
}

/** Who announces a new message: this process `"now"`, another one `"later"`, or nobody, `"never"`. */
export type NotificationPolicy = "now" | "later" | "never";

/** What became of a send. */
export interface Appended {
  id: number;
  /** How many messages now wait for the reader. */
  unread: number;
  /** The messages that made room, in order. */
  evicted: number[];
  /** Those of `evicted` that were unread. */
  evicted_unread: number[];
  /** What the caller is to announce now; `null` if nothing. */
  notification: NotificationLease | null;
}

/** How many messages there are and wait, and the newest one without its text. */
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

/** A redeemed ticket: what was typed after the command, and the page it asked for, if it did. */
export interface Redeemed {
  args: string;
  leased: LeasedPage | null;
}

/**
 * Where messages wait: the port that each store implements. Each method is one transaction, in the order of the calls.
 * It waits up to 5 s for other processes and gives up early when `signal` aborts. All throw a `buffer` error if the
 * buffer cannot be used; then nothing was changed, unless the disk failed in the commit. A store that does not exist
 * yet is an empty one, and only a method that stores something makes it.
 */
export interface Store {
  /** Stores a message durably and makes room for it. */
  append(
    message: { sender: Client; message: string; notify: NotificationPolicy },
    signal?: AbortSignal,
  ): Promise<Appended>;
  /** Leases the oldest unread messages to the reader. */
  lease(request: PageRequest, signal?: AbortSignal): Promise<LeasedPage>;
  /** The lease's time starts again. `false`: some of its messages went to another reader, so it must not be written. */
  renew(lease: Lease): Promise<boolean>;
  /** The page was written: what the lease still holds is read, and its dropped messages were told. */
  ack(lease: Lease): Promise<void>;
  /** The page was not written whole: its messages are offered again, labelled if `redelivered`. */
  release(lease: Lease, redelivered: boolean): Promise<void>;
  /** Takes an ack back: its messages are unread again, and labelled. */
  undeliver(lease: Lease): Promise<void>;
  /** The page that {@link Store.lease} would give. Changes nothing. */
  peek(request: PageRequest): Promise<Page>;
  /** What is left of the page that this reader read last. Changes nothing. */
  lastPage(reader: Client): Promise<PageMessage[]>;
  /** The newest messages of both sides in time order. Changes nothing. */
  latest(limit: number): Promise<PageMessage[]>;
  /** Counts. Changes nothing. */
  counts(): Promise<Counts>;
  /** Deletes every message, and notes the unread ones for their readers, `by` excepted. */
  clear(by: ClearedBy, signal?: AbortSignal): Promise<{ deleted: number; deleted_unread: number }>;
  /** Stores how the client wants to be told of messages. */
  prefer(client: Client, preference: NotificationPreference): Promise<void>;
  /** Leases what nobody announced, one lease a reader. `final`: this process looks for the last time. */
  leaseNotifications(options?: { final?: boolean }): Promise<NotificationLease[]>;
  /** The notification was shown. */
  markNotified(lease: NotificationLease): Promise<void>;
  /** The notification was not shown: another process may try. */
  releaseNotification(lease: NotificationLease): Promise<void>;
  /** Issues the session's only ticket, which carries what was typed after the command. */
  issueTicket(session: CodeSession, args: string): Promise<void>;
  /**
   * Takes the session's ticket and answers what it carries, or `null` if there is no valid one. A ticket that carries
   * nothing but white space asks for a page, which is leased in the same transaction.
   */
  redeemTicket(session: CodeSession, request: PageRequest): Promise<Redeemed | null>;
  /** Lets go of the buffer. Later calls open it again. */
  close(): void;
}
