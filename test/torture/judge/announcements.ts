import { type Announcement, type History, overlap, type Send, type Span, troublesIn } from "../history.ts";
import { tokenOf } from "../messages.ts";
import { oldestToken } from "../notifier.ts";
import type { Row } from "../settle.ts";
import { type Evidence, mayBeGone } from "./evidence.ts";

// How long after its notifier ended an announcer may take to note it down, if nothing keeps it from the file: ten times
// what is normal on a busy machine.
const noteMilliseconds = 1_000;

// The notifier that takes its time does so after it was told to: place.ts.
const slowMilliseconds = 2_600;

// How long a notifier may take, less what this run and relay may differ by.
const limitMilliseconds = 2_900;

/** Each message is announced once; again only if the first try was cut off; never only if two tries failed. */
export function judgeAnnouncements(evidence: Evidence): void {
  const { world, history, sends } = evidence;
  const byToken = new Map<string, Announcement[]>();
  for (const announcement of history.announcements) {
    const oldest = oldestToken(announcement.body);
    const known = coversWhatItSays(announcement);
    // a lease that the clock, or another file, ended early may have gone on to somebody else before this looked
    const excused = mayHaveOtherLease(history, around(announcement)) || lostSome(evidence, announcement);
    if (!oldest || (!known && announcement.messages && !excused))
      world.violated("an announcement shows the oldest, and how many", announcement.body, announcement);
    const tokens = known ? announcement.messages?.map(({ token }) => token) : [oldest];
    for (const token of new Set(tokens))
      if (token) byToken.set(token, [...(byToken.get(token) ?? []), announcement]);
  }
  for (const [token, announcements] of byToken) {
    world.count("messages announced");
    const send = sends.get(token);
    const about = () => evidence.trace(token);
    if (send?.muted) world.violated("what is muted is not announced", token, ...about());
    if (announcements.some(({ reader }) => reader === send?.sender))
      world.violated("an announcement is for the reader", token, ...about());
    if (!send || mayBeGone(evidence, send)) continue;
    if (announcements.length > 2)
      world.violated("two tries at most", `${token}: ${announcements.length}`, ...about());
    judgeTwice(evidence, token, announcements);
  }
  judgeNever(evidence, byToken);
}

function coversWhatItSays({ body, messages }: Announcement): boolean {
  return messages?.[0]?.token === oldestToken(body) && messages?.length === countIn(body);
}

function countIn(body: string): number {
  return Number(/^(\d+) (?:messages|more): /.exec(body)?.[1] ?? 1);
}

// Some of them may have had to go, or been cleared, before this looked.
function lostSome({ history }: Evidence, announcement: Announcement): boolean {
  const { body, messages } = announcement;
  const isShort = (messages?.length ?? 0) < countIn(body) && messages?.[0]?.token === oldestToken(body);
  const sends = history.sends.filter(
    ({ receipt, how }) => how === "original" || receipt?.evicted.length !== 0,
  );
  return isShort && [...sends, ...history.clears].some((other) => overlap(other, around(announcement)));
}

function mayHaveOtherLease(history: History, span: Span): boolean {
  return troublesIn(history, span).some(({ kind }) => kind === "clock" || kind === "replaced");
}

function around({ from, to }: Span): Span {
  return { from: from - 1_000, to };
}

function judgeTwice(evidence: Evidence, token: string, announcements: Announcement[]): void {
  const [first, ...others] = announcements;
  for (const other of others) {
    if (!first) return;
    const why = reason(evidence, first, other);
    if (why) evidence.world.count(`messages announced twice: ${why}`);
    else
      evidence.world.violated(
        "each message is announced once",
        `${token} was twice`,
        ...evidence.trace(token),
      );
  }
}

/** Why a second announcement was right; null if it was not. */
function reason({ history }: Evidence, first: Announcement, second: Announcement): string | null {
  if (first.outcome === "failed" || first.outcome === "hang") return "the first try failed";
  if (first.outcome === "slow" && second.from - first.from > limitMilliseconds)
    return "the first try took too long";
  const ended = first.to + (first.outcome === "slow" ? slowMilliseconds : 0);
  const noted: Span = { from: ended, to: Math.min(second.from, ended + noteMilliseconds) };
  const { actor } = first;
  if (!actor) return "the first announcer was gone";
  if (actor.killed < noted.to) return "the first announcer was killed";
  if (actor.asked < noted.to) return "the first announcer was asked to end";
  if (actor.stops.some((stop) => overlap(stop, { from: first.from, to: noted.to })))
    return "the first announcer stood still";
  // it is noted in the file that is there then, and the lease stands by the clock
  if (mayHaveOtherLease(history, around({ from: first.from, to: second.from })))
    return "the clock jumped, or the file was another one";
  return troublesIn(history, noted).length > 0 ? "the file could not be written" : null;
}

function judgeNever(evidence: Evidence, byToken: Map<string, Announcement[]>): void {
  const { world, history, sends, rows } = evidence;
  for (const row of rows.filter(({ read }) => !read)) {
    const token = tokenOf(row.message) ?? "";
    const send = sends.get(token);
    const told = byToken.get(token) ?? [];
    if (!send || send.muted || told.some(({ outcome }) => outcome === "shown" || outcome === "slow"))
      continue;
    // without their messages, nobody knows what some announcements told
    const unknown = history.announcements.some(
      (announcement) =>
        announcement.reader !== send.sender &&
        announcement.to > send.from &&
        !coversWhatItSays(announcement) &&
        /^\d+ (messages|more): /.test(announcement.body),
    );
    if (unknown) continue;
    if (row.notified_at)
      world.violated("what counts as announced was announced", token, row, ...evidence.trace(token));
    else if (!mayHaveFailedTwice(history, send, row, told))
      world.violated("never announced only after two tries", token, row, ...evidence.trace(token));
  }
}

// A try that no notifier was heard of is one whose announcer was cut off before it started any. Its lease stands for
// 20 s, longer than a round, so that there is one such try at the most, unless the clock jumps.
function mayHaveFailedTwice(history: History, send: Send, row: Row, told: Announcement[]): boolean {
  const unheard = row.notify_tries - told.length;
  const cutOff = history.actors.filter(({ killed, asked }) => {
    const end = Math.min(killed, asked);
    return end > send.from && end < history.peace;
  });
  const jumped = troublesIn(history, { from: send.from, to: history.peace }).some(
    ({ kind }) => kind === "clock",
  );
  const failed = told.some(({ outcome }) => outcome === "failed" || outcome === "hang");
  return (
    row.notify_tries >= 2 &&
    (row.leased !== 0 || failed) &&
    unheard <= Math.min(cutOff.length, jumped ? Number.POSITIVE_INFINITY : 1)
  );
}
