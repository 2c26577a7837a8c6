import { otherClient } from "../../../src/core/client.ts";
import { claimMilliseconds } from "../../../src/core/limits.ts";
import { type Fetch, fileDuring, type History, isClean, type Send, troublesIn } from "../history.ts";
import type { Evidence } from "./evidence.ts";

// A page that holds so little has room for another message, whatever that needs: what is typed has 28,000 characters, of
// which a byte may take eight; everything else counts bytes.
const roomBytes = { typed: 2_000, other: 60_000 };

// A claim is given back a moment after the answer that says so, and clocks differ.
const marginMilliseconds = 1_000;

const holdMilliseconds = claimMilliseconds + marginMilliseconds;

/** What is acknowledged can be read: no page leaves out the oldest message that it has room for. */
export function judgeOmissions(evidence: Evidence): void {
  const { history, world, trace } = evidence;
  const marking = history.fetches.filter(({ marks, how }) => marks && how !== "original");
  for (const fetch of marking.filter((one) => isClean(history, one))) {
    if (!fetch.page || fetch.page.shown.length >= fetch.limit || !isQuiet(history, fetch)) continue;
    if (marking.some((other) => mayHold(history, other, fetch))) continue;
    world.count("pages that had to hold all that waits");
    const [oldest] = leftOut(evidence, fetch);
    if (!oldest) continue;
    const hasRoom = [oldest.text, ...olderThan(evidence, fetch, oldest)].every((text) => fits(fetch, text));
    if (hasRoom)
      world.violated("what waits is on the page", `${oldest.token} is not`, fetch, ...trace(oldest.token));
  }
}

function fits({ page, how }: Fetch, text: string): boolean {
  const shown = page?.shown.map((message) => message.text) ?? [];
  const bytes = [...shown, text].reduce((sum, each) => sum + Buffer.byteLength(each), 0);
  return bytes <= roomBytes[how === "typed" ? "typed" : "other"];
}

// What was claimed before the clock jumped is claimed until another time.
function isQuiet(history: History, { from, to }: Fetch): boolean {
  return !troublesIn(history, { from: from - holdMilliseconds, to }).some(({ kind }) => kind === "clock");
}

/** Whether the other may hold messages while the page is made that it never shows. */
function mayHold(history: History, other: Fetch, { reader, from, to }: Fetch): boolean {
  if (other.reader !== reader || other.page || other.from > to) return false;
  const released = other.released + marginMilliseconds;
  // a full disk, and whatever else keeps it from being written down
  const isHindered = troublesIn(history, { from: other.from, to: released }).length > 0;
  const gaveBack = Number.isFinite(released) && !Number.isFinite(other.actor.killed) && !isHindered;
  const end = gaveBack ? released : other.actor.died + holdMilliseconds;
  return end > from;
}

/** What was acknowledged before the page was asked for and first shown on a later one, the oldest first. */
function leftOut({ history, sends, fresh }: Evidence, fetch: Fetch): Send[] {
  const file = fileDuring(history, fetch);
  return [...sends.values()]
    .filter(({ receipt, sender, token, from, to }) => {
      const isFor = receipt && otherClient(sender) === fetch.reader && to < fetch.from;
      if (!isFor || fileDuring(history, { from, to: fetch.to }) !== file) return false;
      const showings = fresh.get(token) ?? [];
      return showings.length > 0 && showings.every((showing) => showing.fetch.from > fetch.to);
    })
    .sort((a, b) => (a.receipt?.id ?? 0) - (b.receipt?.id ?? 0));
}

/** What was shown later, and may have been stored before this one: a page that has no room for it holds this one neither. */
function olderThan({ fresh }: Evidence, fetch: Fetch, { receipt }: Send): string[] {
  return [...fresh.values()]
    .flatMap(([first]) => first ?? [])
    .filter((first) => first.fetch.reader === fetch.reader && first.fetch.from > fetch.to)
    .filter(({ shown }) => shown.id < (receipt?.id ?? 0))
    .map(({ shown }) => shown.text);
}
