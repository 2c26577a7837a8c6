import type { Client } from "../../src/core/client.ts";
import type { Receipt } from "../../src/core/relay.ts";
import type { Page, Told } from "./page.ts";

/** A stretch of the run's own time, in milliseconds that never jump. */
export interface Span {
  from: number;
  to: number;
}

/** A process of relay's, or the original. */
export interface Actor {
  name: string;
  pid: number;
  /** When it was killed with SIGKILL, when it was asked to end, when it ended; infinite as long as it was not. */
  killed: number;
  asked: number;
  died: number;
  /** When it stood still. */
  stops: Span[];
}

/** Something asked of relay. `unknown`: no answer came, or nobody waited for it. */
interface Asked extends Span {
  actor: Actor;
  how: "tool" | "prompt" | "command" | "typed" | "original";
  /** The client stopped waiting. */
  cancelled: boolean;
  /** Why it was refused; null if it was not. */
  refused: string | null;
  /** The hook that went before what was typed. */
  hook?: Hook;
}

/** A message that was to be stored. */
export interface Send extends Asked {
  token: string;
  text: string;
  sender: Client;
  /** Nobody is to be told of it. */
  muted: boolean;
  receipt: Pick<Receipt, "id" | "unread" | "evicted" | "evicted_unread"> | null;
  told: Told | null;
}

/** What became of the hook that makes a ticket. */
interface Hook extends Span {
  actor: Actor;
}

/** A page that was asked for. */
export interface Fetch extends Asked {
  reader: Client;
  /** false: it was only looked at. */
  marks: boolean;
  limit: number;
  page: Page | null;
  /** When the process showed that it had settled the page; infinite if it never did. */
  confirmed: number;
  /** When a page that was claimed and not shown was given back at the latest. */
  released: number;
}

/** A buffer that was to be emptied; `by` is null for the command line. */
export interface Clear extends Asked {
  by: Client | null;
  done: boolean;
  /** What it says it deleted; the original says nothing that is read here. */
  receipt: { deleted: number; deleted_unread: number } | null;
}

/** A notifier that was started. */
export interface Announcement extends Span {
  reader: Client;
  body: string;
  /** The process that started it, if it is known. */
  actor: Actor | null;
  /** What it was to tell of, read in the file while it waited; null if that could not be read. */
  messages: { id: number; token: string | null }[] | null;
  outcome: "shown" | "failed" | "hang" | "slow";
}

/** A time in which something was wrong by the run's own doing. */
export interface Trouble extends Span {
  kind: "disk" | "read-only" | "lock" | "clock" | "replaced" | "stop";
  what: string;
}

/** Which file was at the path, from when on. The change itself took from `since.from` to `since.to`. */
interface Era {
  file: number;
  since: Span;
}

/** All that happened in a round. */
export interface History {
  sends: Send[];
  fetches: Fetch[];
  clears: Clear[];
  announcements: Announcement[];
  troubles: Trouble[];
  actors: Actor[];
  /** When everything was over but what is done in peace: the rest announced, read, and judged. */
  peace: number;
  eras: Era[];
  /** Files that are gone, with whatever was in them. */
  removed: Set<number>;
  /** Files that lie somewhere else now, by their path there. */
  kept: Map<number, string>;
  /** The greatest id that a file held before this round. */
  base: Map<number, number>;
}

/** The history of a round that begins with this file. */
export function createHistory(file: number, base: number): History {
  return {
    sends: [],
    fetches: [],
    clears: [],
    announcements: [],
    troubles: [],
    actors: [],
    peace: Number.POSITIVE_INFINITY,
    eras: [{ file, since: { from: 0, to: 0 } }],
    removed: new Set(),
    kept: new Map(),
    base: new Map([[file, base]]),
  };
}

/** Whether two stretches have a moment in common. */
export function overlap(a: Span, b: Span): boolean {
  return a.from <= b.to && b.from <= a.to;
}

/** The files that were at the path in this time: one, or several if it was changed meanwhile. */
export function filesDuring({ eras }: History, span: Span): number[] {
  return eras
    .filter((era, index) => {
      const next = eras[index + 1];
      return era.since.from <= span.to && span.from <= (next?.since.to ?? Number.POSITIVE_INFINITY);
    })
    .map((era) => era.file);
}

/** The one file that was at the path in all of this time, or null. */
export function fileDuring(history: History, span: Span): number | null {
  const files = filesDuring(history, span);
  return files.length === 1 ? (files[0] ?? null) : null;
}

/** The troubles of this time. */
export function troublesIn({ troubles }: History, span: Span): Trouble[] {
  return troubles.filter((trouble) => overlap(trouble, span));
}

/** Whether nothing could keep the page from being shown once and marked at once. */
export function isClean(history: History, fetch: Fetch): boolean {
  const { page, how, cancelled, confirmed, actor } = fetch;
  if (how === "original") return false; // it looks first and marks then, and anybody may come between
  if (!page || cancelled || !Number.isFinite(confirmed) || actor.killed < confirmed) return false;
  return troublesIn(history, { from: fetch.from, to: confirmed }).length === 0;
}
