import type { Announcement } from "../history.ts";
import { type Span, troublesIn } from "../history.ts";
import { tokenOf } from "../messages.ts";
import { oldestToken } from "../notifier.ts";
import { type Evidence, mayBeGone } from "./evidence.ts";

// How long after its notifier ended an announcer may take to note it down.
const noteMilliseconds = 5_000;

/** Each message is announced once; again only if the first try was cut off; never only if two tries failed. */
export function judgeAnnouncements(evidence: Evidence): void {
  const { world, history, sends } = evidence;
  const byToken = new Map<string, Announcement[]>();
  for (const announcement of history.announcements) {
    const oldest = oldestToken(announcement.body);
    const known = coversWhatItSays(announcement);
    // a lease that the clock, or another file, ended early may have gone on to somebody else before this looked
    if (
      !oldest ||
      (!known && announcement.messages && troublesIn(history, around(announcement)).length === 0)
    )
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
    if (!send || mayBeGone(evidence, send)) continue;
    if (announcements.length > 2)
      world.violated("two tries at most", `${token}: ${announcements.length}`, ...about());
    judgeTwice(evidence, token, announcements);
  }
  judgeNever(evidence, byToken);
}

function coversWhatItSays({ body, messages }: Announcement): boolean {
  const count = Number(/^(\d+) (?:messages|more): /.exec(body)?.[1] ?? 1);
  return messages?.[0]?.token === oldestToken(body) && messages?.length === count;
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
  const noted: Span = { from: first.from, to: Math.min(second.from, first.to + noteMilliseconds) };
  if (!first.actor) return "the first announcer was gone";
  if (first.actor.died < noted.to || first.actor.asked < noted.to)
    return "the first announcer was killed or ended";
  const [trouble] = troublesIn(history, around({ from: first.from, to: second.from }));
  return trouble ? "the file or the clock was tampered with, or a process stood still" : null;
}

function judgeNever(evidence: Evidence, byToken: Map<string, Announcement[]>): void {
  const { world, history, sends, rows } = evidence;
  // without their messages, nobody knows what some announcements told
  const unknown = history.announcements.some(
    (announcement) => !coversWhatItSays(announcement) && /^\d+ (messages|more): /.test(announcement.body),
  );
  for (const row of rows.filter(({ read }) => !read)) {
    const token = tokenOf(row.message) ?? "";
    const send = sends.get(token);
    const told = byToken.get(token) ?? [];
    if (!send || send.muted || told.some(({ outcome }) => outcome === "shown" || outcome === "slow"))
      continue;
    if (row.notified_at && !unknown)
      world.violated("what counts as announced was announced", token, row, ...evidence.trace(token));
    const cutOff =
      told.length +
      history.actors.filter(({ killed, asked }) => Number.isFinite(Math.min(killed, asked))).length;
    if (!row.notified_at && cutOff < 2)
      world.violated("never announced only after two tries", token, row, ...evidence.trace(token));
  }
}
