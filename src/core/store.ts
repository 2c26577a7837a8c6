import type { StoredAttachment } from "./attachment.ts";
import type { Client } from "./client.ts";
import type { ClearedBy, Lease, LeasedPage, Page, PageMessage, PageRequest, Source } from "./leased-page.ts";
import type { Message, NewMessage, TypedIn } from "./message.ts";
import type { ProjectCount } from "./project.ts";

/** A message of the window or of the history. */
export interface LoggedMessage extends Message {
  /** It left the window. */
  left: boolean;
}

/** A search for messages in window and history. */
export interface LogQuery {
  /** The most messages; the newest ones are found. */
  limit: number;
  from?: Client | undefined;
  project?: string | undefined;
  /** A part of the text, in any case. */
  search?: string | undefined;
  /** Sent at this time or later, in milliseconds since 1970. */
  since?: number | undefined;
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
  /** The project of all of them; `null` if they have none, or several. */
  project: string | null;
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
  /** The message's project. */
  project: string | null;
  /** If no session of that project was seen in the last 30 days: the projects that were seen; else `null`. */
  seenProjects: string[] | null;
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
  /** In the window. */
  total: number;
  history: number;
  unread: Record<Client, number>;
  /** The part of the unread messages for Code that is for a project. */
  projects: ProjectCount[];
  latest: { id: number; sender: Client; timestamp: string } | null;
  delivered: Record<Client, Delivered | null>;
}

/** The numbers of deleted messages. */
export interface Cleared {
  /** Of the window. */
  deleted: number;
  deleted_unread: number;
  deleted_history: number;
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
  /** `again` or an id, for messages once more; empty or `all` for unread ones. */
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
  /**
   * Stores a message with its files durably and makes room for it in the window. Throws `usage` if it answers a message that is
   * nowhere, and `failed` if unread files leave no room for its own.
   */
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
  /** The messages that this reader read last in this project, in window and history. Changes nothing. */
  lastPage(reader: Client, project: string | null): Promise<PageMessage[]>;
  /** The messages with these ids in window and history, in time order. Changes nothing. */
  find(ids: readonly number[]): Promise<PageMessage[]>;
  /** The files of a message in window or history. Changes nothing. */
  readFiles(id: number): Promise<StoredAttachment[]>;
  /** The newest messages of window and history that match, in time order. Changes nothing. */
  log(query: LogQuery): Promise<LoggedMessage[]>;
  /** The newest messages of both sides in time order. Changes nothing. */
  latest(limit: number): Promise<PageMessage[]>;
  /** Counts messages. Changes nothing. */
  counts(): Promise<Counts>;
  /**
   * Deletes every message, the history too, and notes the unread ones of the window for their readers, `by` excepted.
   * Those of a clear on the command line are noted for whichever of the two reads first.
   */
  clear(by: ClearedBy, signal?: AbortSignal): Promise<Cleared>;
  /** Stores a client's preference. */
  prefer(client: Client, preference: NotificationPreference): Promise<void>;
  /**
   * Leases unannounced messages, one lease for each reader. `final`: this process will not look again. `own`: the
   * preference of this process's client, stored again if the store was replaced by one that knows none.
   */
  leaseNotifications(options?: { final?: boolean; own?: ClientPreference | null }): Promise<NotificationLease[]>;
  /** From now on calls `wake` when another process leaves messages to announce, where the store can tell. */
  watch?(wake: () => void): void;
  /** Marks the messages of a shown notification as announced. */
  markNotified(lease: NotificationLease): Promise<void>;
  /** Gives back a notification that was not shown, for another process to try. */
  releaseNotification(lease: NotificationLease): Promise<void>;
  /** Issues the session's only ticket; `null` removes it. `false`: none, because it asked in vain in the last 10 s. */
  issueTicket(session: CodeSession, ticket: Ticket | null): Promise<boolean>;
  /**
   * Redeems the session's ticket; `null` if there is no valid one, which is noted for 10 s. If it is for unread messages, a
   * page of them is leased in the same transaction, for the project in which it was issued.
   */
  redeemTicket(session: CodeSession, request: PageRequest): Promise<Redeemed | null>;
  /** Closes the buffer. Later calls open it again. */
  close(): void;
}
