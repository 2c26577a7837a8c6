import { type Client, clients, otherClient } from "../../../src/core/client.ts";
import { windowSize } from "../../../src/core/limits.ts";
import {
  type Clear,
  type Fetch,
  fileDuring,
  filesDuring,
  isClean,
  type Send,
  type Span,
} from "../history.ts";
import type { Page } from "../page.ts";
import { type Evidence, fileOf, isLostOnOriginal, type Showing } from "./evidence.ts";

/** A message, and when it certainly was there, and waited, no more; infinite if nobody can say. */
interface Life {
  send: Send;
  id: number;
  files: number[];
  gone: number;
  read: number;
  showings: Showing[];
}

type Waiting = NonNullable<Page["waiting"]>;

/** A receipt, a page and a clear say how many wait: no fewer than certainly did, and no more than may have. */
export function judgeCounts(evidence: Evidence): void {
  const { history } = evidence;
  const lives = history.sends.map((send) => lifeOf(evidence, send)).filter(mayBeStored);
  for (const send of history.sends) {
    const { receipt, how, sender } = send;
    if (receipt && how !== "original" && receipt.unread <= windowSize)
      judgeWaiting(evidence, lives, [otherClient(sender)], receipt.unread, 1, send);
  }
  for (const fetch of history.fetches) {
    const { page, reader, marks } = fetch;
    if (!page?.waiting || !marks) continue;
    const fresh = page.shown.filter((shown) => shown.fresh).length;
    judgeWaiting(evidence, lives, [reader], page.waiting.remaining + fresh, 0, fetch);
    judgeElsewhere(evidence, fetch, page.waiting);
  }
  for (const clear of history.clears) {
    if (!clear.receipt) continue;
    const { deleted, deleted_unread: unread } = clear.receipt;
    judgeWaiting(evidence, lives, clients, unread, 0, clear);
    const file = fileDuring(history, clear);
    const there = lives.filter((life) => file !== null && mayBeThere(life, file, clear)).length;
    if (file !== null && (deleted > Math.min(windowSize, there) || deleted < unread))
      evidence.world.violated("a clear counts what it deletes", `${deleted}, and there were ${there}`, clear);
  }
}

/** `own` is how many the answer itself added. */
function judgeWaiting(
  evidence: Evidence,
  lives: Life[],
  readers: readonly Client[],
  said: number,
  own: number,
  about: Send | Fetch | Clear,
): void {
  const { world, history } = evidence;
  const file = fileDuring(history, about);
  if (file === null || Number.isNaN(said)) return;
  const concerned = lives.filter(({ send }) => readers.includes(otherClient(send.sender)));
  const possible = concerned.filter((life) => mayBeThere(life, file, about) && life.read >= about.from);
  const most = Math.min(windowSize, possible.length);
  const certain = concerned.filter((life) => mustWait(evidence, life, lives, file, about));
  const least = certain.length + own;
  world.count("counts of what waits");
  world.count("counts of what waits that can be but one", Number(least === most));
  if (said >= least && said <= most) return;
  const [oldest] = certain;
  world.violated(
    "what waits is counted",
    `${said} are said to wait, and it must be ${least} to ${most}`,
    about,
    { possible: possible.map(({ id, send }) => [id, send.token]), file, eras: history.eras },
    ...(said < least && oldest ? evidence.trace(oldest.send.token) : []),
  );
}

function judgeElsewhere({ world, history }: Evidence, fetch: Fetch, waiting: Waiting): void {
  const { remaining, elsewhere } = waiting;
  const mayHold = history.fetches.some(
    (other) =>
      other !== fetch &&
      other.reader === fetch.reader &&
      other.marks &&
      other.from <= fetch.to &&
      !(isClean(history, other) && other.confirmed < fetch.from),
  );
  if (elsewhere > remaining || (elsewhere > 0 && !mayHold))
    world.violated("what is on its way elsewhere was asked for", `${elsewhere} of ${remaining}`, fetch);
}

function lifeOf(evidence: Evidence, send: Send): Life {
  const { history, fresh } = evidence;
  const file = fileOf(evidence, send);
  const id = send.receipt?.id ?? Number.NaN;
  const isHere = (span: Span) => file !== null && fileDuring(history, span) === file;
  const evictors = history.sends.filter((other) => other.receipt?.evicted.includes(id) && isHere(other));
  const clears = history.clears.filter((clear) => clear.done && clear.from > send.to && isHere(clear));
  const showings = fresh.get(send.token) ?? [];
  const reads = showings.filter((showing) => showing.clean && showing.file === file);
  return {
    send,
    id,
    files: filesDuring(history, send),
    gone: Math.min(...[...evictors, ...clears].map(({ to }) => to)),
    read: Math.min(...reads.map(({ fetch }) => fetch.confirmed)),
    showings,
  };
}

// What is refused while the file stays the same is not stored: sends.ts.
function mayBeStored({ send, files }: Life): boolean {
  return send.refused === null || files.length > 1;
}

function mayBeThere({ send, files, gone }: Life, file: number, { from, to }: Span): boolean {
  return files.includes(file) && send.from < to && gone >= from;
}

// It was not shown to anybody else, cleared by nobody else, and is among the latest 20.
function mustWait(
  evidence: Evidence,
  life: Life,
  lives: Life[],
  file: number,
  about: Send | Fetch | Clear,
): boolean {
  const { send, showings } = life;
  if (send === about || send.to >= about.from || fileOf(evidence, send) !== file) return false;
  if (showings.some(({ fetch }) => fetch !== about && fetch.from < about.to)) return false;
  const mayBeCleared = evidence.history.clears.some(
    (clear) => clear !== about && clear.to > send.from && clear.from < about.to,
  );
  if (mayBeCleared || isLostOnOriginal(evidence, send)) return false;
  const newer = lives.filter((other) => mayBeNewer(other, life) && other.send.from < about.to);
  return newer.length < windowSize;
}

function mayBeNewer(other: Life, { send, id }: Life): boolean {
  return other.send !== send && other.send.to >= send.from && !(other.id < id);
}
