import type { Dropped, Lease, Page, PageMessage, PageRequest } from "./leased-page.ts";
import { pageBytes } from "./limits.ts";
import { readAt } from "./message.ts";
import { countFitting, fitPage } from "./page-size.ts";
import { type ProjectCount, splitWaiting } from "./project.ts";

/** What a store found for a page. */
export interface FoundMessages {
  /** The oldest unread messages that are not in flight, up to the limit, or to one with which they do not fit. */
  waiting: PageMessage[];
  /** Answers the latest messages that were read before, the newest first. */
  readBefore: (limit: number) => PageMessage[];
  /** The number of all unread messages. */
  unread: number;
  /** The part of the unread messages that is for a project. */
  projects: ProjectCount[];
  inFlight: number;
  dropped: Dropped[];
}

/** The project whose messages a request is for; `null` for all. */
export function projectOf({ reader, project, everyProject = false }: PageRequest): string | null {
  return reader === "desktop" || everyProject ? null : project;
}

/** The page of what was found for a request. */
export function composePage(found: FoundMessages, request: PageRequest): Page {
  const { waiting, dropped } = found;
  const { limit, size, includeRead } = request;
  const { count, tooLong } = fitPage(waiting, dropped, size);
  const fresh = waiting.slice(0, count);
  const isFilled = includeRead && count === waiting.length;
  const filled = isFilled ? [...fresh, ...found.readBefore(limit - count)] : fresh;
  const messages = filled.slice(0, Math.max(count, countFitting(filled, pageBytes, true)));
  const { own, others } = splitWaiting(found.unread, found.projects, projectOf(request));
  return {
    messages: messages.sort((a, b) => a.id - b.id),
    remaining: own - count,
    others,
    inFlight: found.inFlight,
    dropped,
    tooLong,
  };
}

/** The lease that a page needs; `null` if it needs no ack. */
export function leaseFor(page: Page, { reader, origin, project }: PageRequest, id: string): Lease | null {
  const unread = page.messages.filter((message) => readAt(message, reader) === null).map((message) => message.id);
  const { dropped } = page;
  return unread.length + dropped.length === 0 ? null : { id, reader, unread, dropped, origin, project };
}
