import { otherClient } from "../../../src/core/client.ts";
import { windowSize } from "../../../src/core/limits.ts";
import {
  type Announcement,
  type Fetch,
  fileDuring,
  filesDuring,
  type History,
  isClean,
  overlap,
  type Send,
  type Span,
  troublesIn,
} from "../history.ts";
import { tokenOf } from "../messages.ts";
import type { Shown } from "../page.ts";
import type { Row } from "../settle.ts";
import type { World } from "../world.ts";

/** One appearance of a message before a reader. */
export interface Showing {
  fetch: Fetch;
  shown: Shown;
  token: string;
  /** The file it was read in; null if that was just being changed. */
  file: number | null;
  /** Nothing could keep it from being marked. */
  clean: boolean;
}

/** All that a round left behind, in the order in which it can be judged. */
export interface Evidence {
  world: World;
  history: History;
  sends: Map<string, Send>;
  showings: Showing[];
  /** Those of pages that mark what they show, as unread, by the name of the message. */
  fresh: Map<string, Showing[]>;
  /** What lay in the file before the last pages were read. */
  rows: Row[];
  /** What lies in files that were renamed away; null if one cannot be read. */
  kept: Map<number, Row[] | null>;
  /** What is told of a message, and of everything that it was a part of. */
  trace(token: string): unknown[];
}

/** Puts a round's evidence in order. */
export function gather(world: World, rows: Row[], kept: Map<number, Row[] | null>): Evidence {
  const { history } = world;
  const sends = new Map(history.sends.map((send) => [send.token, send]));
  const showings = history.fetches.flatMap((fetch) => {
    const file = fileDuring(history, fetch);
    const clean = isClean(history, fetch);
    return (fetch.page?.shown ?? []).map((shown) => ({
      fetch,
      shown,
      token: tokenOf(shown.text) ?? "",
      file,
      clean,
    }));
  });
  const marked = showings.filter(({ fetch, shown }) => fetch.marks && shown.fresh);
  const trace = (token: string) => traceOf(history, token);
  return {
    world,
    history,
    sends,
    showings,
    fresh: Map.groupBy(marked, ({ token }) => token),
    rows,
    kept,
    trace,
  };
}

function traceOf(history: History, token: string): unknown[] {
  const send = history.sends.find((candidate) => candidate.token === token);
  const id = send?.receipt?.id;
  const file = send && fileDuring(history, send);
  const sameFile = (span: Span) => fileDuring(history, span) === file;
  const life = [
    ...history.sends
      .filter((other) => other === send || (id && other.receipt?.evicted.includes(id) && sameFile(other)))
      .map(tellSend),
    ...history.fetches
      .filter((fetch) => holds(fetch, token, sameFile(fetch) ? id : undefined))
      .map(tellFetch),
    ...history.announcements.filter((one) => isOf(one, token)).map(tellAnnouncement),
  ];
  const span = {
    from: Math.min(...life.map(({ from }) => from)) - 1_000,
    to: Math.max(...life.map(({ from, to }) => (to === null ? from : to))) + 1_000,
  };
  const around = [
    ...history.fetches
      .filter(({ page, marks, reader }) => !page && marks && reader !== send?.sender)
      .map(tellFetch),
    ...history.announcements
      .filter(({ reader, messages }) => reader !== send?.sender && !messages)
      .map(tellAnnouncement),
    ...history.clears.map((clear) => ({ what: "clear", ...times(clear), by: clear.by, done: clear.done })),
    ...history.troubles.map(({ kind, what, ...trouble }) => ({
      what: `trouble: ${kind} ${what}`,
      ...times(trouble),
    })),
    ...history.eras.map((era) => ({ what: `file ${era.file}`, ...times(era.since) })),
  ].filter((event) => overlap(event, span));
  return [...life, ...around].sort((a, b) => a.from - b.from);
}

function times({ from, to }: Span): Span {
  return { from: Math.round(from), to: Math.round(to) };
}

function holds({ page }: Fetch, token: string, id: number | undefined): boolean {
  if (!page) return false;
  const told = [...page.told.dropped, ...page.told.ownDropped];
  return page.shown.some(({ text }) => text.startsWith(token)) || (id !== undefined && told.includes(id));
}

function isOf({ body, messages }: Announcement, token: string): boolean {
  return body.includes(token) || messages?.some((message) => message.token === token) === true;
}

function tellActor({ name, pid, killed, died, stops }: Send["actor"]): string {
  const stood = stops.map(({ from, to }) => `, stopped ${Math.round(from)}-${Math.round(to)}`).join("");
  return `${name} (${pid})${Number.isFinite(killed) ? `, killed ${Math.round(killed)}` : ""}, died ${Math.round(died)}${stood}`;
}

function tellSend({ token, how, sender, actor, receipt, refused, cancelled, ...send }: Send) {
  return {
    what: "send",
    ...times(send),
    token,
    how,
    sender,
    actor: tellActor(actor),
    receipt,
    refused,
    cancelled,
  };
}

function tellFetch({ how, reader, actor, page, cancelled, confirmed, limit, ...fetch }: Fetch) {
  const shown = page?.shown.map(
    ({ id, fresh, maybe }) => `${id}${fresh ? "" : " read"}${maybe ? " maybe" : ""}`,
  );
  const told = page?.told;
  return {
    what: "page",
    ...times(fetch),
    how,
    reader,
    limit,
    actor: tellActor(actor),
    shown,
    told,
    cancelled,
    confirmed,
  };
}

function tellAnnouncement({ reader, body, actor, messages, outcome, ...announcement }: Announcement) {
  return {
    what: "announcement",
    ...times(announcement),
    reader,
    body: body.slice(0, 40),
    actor: actor && tellActor(actor),
    messages,
    outcome,
  };
}

/** The file that a message was stored in; null if it was just being changed, or the message was not acknowledged. */
export function fileOf({ history }: Evidence, send: Send): number | null {
  return send.receipt ? fileDuring(history, send) : null;
}

/** Whether the message may be in a file that is gone. */
export function mayBeGone({ history }: Evidence, span: Span): boolean {
  return filesDuring(history, span).some((file) => history.removed.has(file));
}

/**
 * Whether the original may have read the message and failed all the same: where the file is renamed while it commits,
 * SQLite finds its journal gone, calls that an error, and what was committed stays. It finds no more than a window.
 */
export function isLostOnOriginal({ history }: Evidence, send: Send): boolean {
  const files = filesDuring(history, send);
  const id = send.receipt?.id ?? Number.POSITIVE_INFINITY;
  return history.fetches.some(
    (fetch) =>
      fetch.how === "original" &&
      !fetch.page &&
      fetch.reader === otherClient(send.sender) &&
      fetch.to > send.from &&
      filesDuring(history, fetch).some((file) => files.includes(file)) &&
      troublesIn(history, fetch).some(({ kind }) => kind === "replaced") &&
      newerThan(history, id, files, fetch) < windowSize,
  );
}

function newerThan(history: History, id: number, files: number[], { from }: Span): number {
  return history.sends.filter((other) => {
    const file = fileDuring(history, other);
    return other.receipt && other.receipt.id > id && other.to < from && file !== null && files.includes(file);
  }).length;
}
