import type { Client } from "./client.ts";
import type { Message } from "./message.ts";
import type { ProjectCount } from "./project.ts";

/** The author of a clear: a client, a person on the command line, or an MCP client that gave no name. */
export type ClearedBy = Client | "command line" | "unknown";

/** A message on a page. */
export interface PageMessage extends Message {
  /** It was on a page before that may have been shown. */
  redelivered: boolean;
  /** The first 400 characters of the message that it answers; `null` if there is none. */
  answered: string | null;
}

/** A message that left the window before its reader read it. */
export interface Dropped {
  id: number;
  /** The history has it. */
  kept: boolean;
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
  /** The project of Claude Code's session; `null` if relay does not know it. */
  project: string | null;
}

/** A request for a page. */
export interface PageRequest extends Source {
  reader: Client;
  /** 1 to 20. */
  limit: number;
  /** Fill the rest of the page with the latest messages that this reader read before. */
  includeRead: boolean;
  /** Also bring to Code what is for other projects than its own. */
  everyProject?: boolean;
  size: PageSize;
  /** The only unread messages that it may bring. */
  only?: readonly number[];
}

/** Messages for one reader, and a report of those that it missed. */
export interface Page {
  /** In time order. At least one if any is unread and not in flight, unless `tooLong` names it. */
  messages: PageMessage[];
  /** The number of unread messages that are not on this page, those in flight included, those of `others` not. */
  remaining: number;
  /** The unread messages for other projects, which this page was not to bring. */
  others: ProjectCount[];
  /** The number of unread messages on a page to another reader. */
  inFlight: number;
  /** Messages that this reader missed and no page has reported yet. */
  dropped: Dropped[];
  /** The id of the message that ended the page because no page of this size can hold it. */
  tooLong: number | null;
}

/** The page of a buffer that does not exist. */
export const emptyPage: Page = { messages: [], remaining: 0, others: [], inFlight: 0, dropped: [], tooLong: null };

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
