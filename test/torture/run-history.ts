import type { Process } from "./run.ts";

/** One of the two sides. */
export type Client = "desktop" | "code";

/** A stretch of the run's own time, in milliseconds, whatever the clock of the processes says. `to` may be infinite. */
export interface Span {
  from: number;
  to: number;
}

/** Something that a process of relay is asked, or the original, which is null. */
export interface Request extends Span {
  process: Process | null;
  /** Why it was refused; null if it was not, or no answer came. */
  refused: string | null;
}

/** A message that was to be stored. */
export interface Send extends Request {
  token: string;
  text: string;
  sender: Client;
  /** It was sent with notifications off. */
  muted: boolean;
  /** The number of its files. */
  files: number;
  /** The id of the message that it answers. */
  replyTo: number | null;
  /** From its receipt. */
  project: string | null;
  /** From its receipt; null if it was never acknowledged. */
  id: number | null;
}

/** A message on a page. */
export interface Shown {
  id: number;
  text: string;
  /** It is offered as unread. */
  fresh: boolean;
  /** It is labelled "may have been shown before". */
  redelivered: boolean;
  /** The number of its files that have their content; left out if the page does not tell. */
  files?: number;
}

/** A page, whether it came framed or as JSON. */
export interface Page {
  shown: Shown[];
  /** The ids it reports as dropped unread. */
  dropped: number[];
  /** How many more it reports as dropped, without their ids. */
  unnamed: number;
}

/** A page that was asked for, and marks what it shows as read. */
export interface Fetch extends Request {
  reader: Client;
  /** The project it was asked for; null for all. */
  project: string | null;
  /** The file it was asked of, if not of the one at the path. */
  file: number | null;
  /** The client stopped waiting. */
  cancelled: boolean;
  /** null if no whole page came. */
  page: Page | null;
  /** When the process had surely acknowledged the page, or released what it leased; infinite if nobody knows. */
  settled: number;
}

/** A buffer that was to be emptied. */
export interface Clear extends Request {
  /** How many unread messages it says it deleted; null if it does not say. */
  deletedUnread: number | null;
}

/** A notification, when its program was started. */
export interface Notification {
  from: number;
  reader: Client;
  /** The message it shows, the oldest of those it tells of. */
  token: string;
  process: Process | null;
  outcome: "shown" | "failed" | "hang" | "slow";
}

const never = Number.POSITIVE_INFINITY;

/** All that happened in a round. */
export class History {
  readonly sends: Send[] = [];
  readonly fetches: Fetch[] = [];
  readonly clears: Clear[] = [];
  readonly notifications: Notification[] = [];
  readonly processes: Process[] = [];
  /** When something was wrong by the run's own doing. */
  readonly troubles: (Span & { what: string })[] = [];
  /** Which file was at the path; both, while that changed. */
  readonly generations: (Span & { file: number })[] = [{ file: 0, from: 0, to: never }];
  /** Files that are gone, with all that was in them. */
  readonly removed = new Set<number>();
  /** Files that lie elsewhere now, by their path there. */
  readonly away = new Map<number, string>();
  /** From when on nothing went wrong any more. */
  calm = never;

  /** The files that a request may have reached: one, or several if the path led elsewhere meanwhile. */
  filesOf(request: Send | Fetch | Clear): number[] {
    if ("file" in request && request.file !== null) return [request.file];
    return this.generations.filter((generation) => overlap(generation, request)).map(({ file }) => file);
  }

  /** Whether anything was wrong at that time. */
  isTroubled(span: Span): boolean {
    return this.troubles.some((trouble) => overlap(trouble, span));
  }
}

/** Whether two stretches have a moment in common. */
export function overlap(a: Span, b: Span): boolean {
  return a.from <= b.to && b.from <= a.to;
}
