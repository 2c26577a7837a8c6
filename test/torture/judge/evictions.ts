import type { Send } from "../history.ts";
import { type Evidence, fileOf, isLostOnOriginal, type Showing } from "./evidence.ts";

/** Evictions happen when there are more than 20: first what was read, then what is oldest; and what went is gone. */
export function judgeEvictions(evidence: Evidence): void {
  const acknowledged = evidence.history.sends.filter(({ receipt, how }) => receipt && how !== "original");
  for (const [file, sends] of Map.groupBy(acknowledged, (send) => fileOf(evidence, send))) {
    if (file === null) continue;
    const later = evidence.showings.filter((showing) => showing.file === file);
    const tokens = new Map(sends.map((send) => [send.receipt?.id ?? 0, send.token]));
    const gone = new Map<number, Send>();
    const greedy: Send[] = [];
    for (const send of [...sends].sort((a, b) => idOf(a) - idOf(b))) {
      judgeReceipt(evidence, send, file, gone);
      judgeOldestFirst(evidence, send, later);
      judgeReadFirst(evidence, send, greedy, tokens);
      judgeUnread(evidence, send, tokens);
      if (send.receipt?.evicted_unread.length) greedy.push(send);
    }
  }
}

function idOf({ receipt }: Send): number {
  return receipt?.id ?? 0;
}

function judgeReceipt(evidence: Evidence, send: Send, file: number, gone: Map<number, Send>): void {
  const { world, history } = evidence;
  const { evicted = [], evicted_unread: unread = [] } = send.receipt ?? {};
  world.count("evictions", evicted.length);
  world.count("evictions of unread messages", unread.length);
  const wrong = (what: string, ...more: unknown[]) =>
    world.violated("evictions are as designed", what, ...more, ...evidence.trace(send.token));
  if (unread.some((id) => !evicted.includes(id))) wrong("one is unread and not evicted");
  if (evicted.some((id) => id >= idOf(send))) wrong("one is newer than what it made room for");
  const ever = idOf(send) - (history.base.get(file) ?? 0);
  if (evicted.length > 0 && ever <= 20) wrong(`there were only ${ever} messages`);
  for (const id of evicted) {
    const before = gone.get(id);
    if (before) wrong(`${id} went twice`, before);
    gone.set(id, send);
  }
  if (evicted.length > 0 && ever - gone.size < 20) wrong(`only ${ever - gone.size} messages are left`);
}

// Whoever drops an unread message has dropped every older one, and every one that was read.
function judgeOldestFirst(evidence: Evidence, send: Send, showings: Showing[]): void {
  const { evicted = [], evicted_unread: unread = [] } = send.receipt ?? {};
  const oldestLeft = Math.max(0, ...unread);
  if (evicted.length === 0) return;
  for (const { fetch, shown, token } of showings) {
    if (fetch.from < send.to) continue;
    if (shown.id < oldestLeft || evicted.includes(shown.id))
      evidence.world.violated(
        "evictions are as designed",
        `${shown.id} is there after ${evicted.join(", ")} went`,
        ...evidence.trace(token),
        ...evidence.trace(send.token),
      );
    if (oldestLeft > 0 && shown.id < idOf(send) && !shown.fresh && wasRead(evidence, token, send))
      evidence.world.violated(
        "evictions are as designed",
        `${shown.id} was read and stayed when ${oldestLeft} went unread`,
        ...evidence.trace(token),
        ...evidence.trace(send.token),
      );
  }
}

function wasRead({ fresh }: Evidence, token: string, before: Send): boolean {
  return (fresh.get(token) ?? []).some(({ clean, fetch }) => clean && fetch.confirmed < before.from);
}

// Every byte that a process wrote was read here, even if it was killed: what nobody saw cannot have been read.
function judgeReadFirst(evidence: Evidence, send: Send, before: Send[], tokens: Map<number, string>): void {
  const { evicted = [], evicted_unread: unread = [] } = send.receipt ?? {};
  for (const id of evicted.filter((one) => !unread.includes(one))) {
    const token = tokens.get(id);
    if (!token) continue;
    const wrong = (what: string, ...others: Send[]) =>
      evidence.world.violated(
        "evictions are as designed",
        `${token} ${what}`,
        ...[token, send.token, ...others.map((other) => other.token)].flatMap(evidence.trace),
      );
    const seen = evidence.fresh.get(token) ?? [];
    const author = evidence.sends.get(token);
    const unseen = !seen.some(({ fetch }) => fetch.from < send.to);
    if (unseen && author && !isLostOnOriginal(evidence, author)) wrong("counted as read, and nobody saw it");
    if (seen.some(({ clean }) => clean)) evidence.world.count("evictions of messages seen to be read");
    const spared = before.find((other) => idOf(other) > id && wasRead(evidence, token, other));
    if (spared) wrong("was read, and stayed while an unread one went", spared);
  }
}

function judgeUnread(evidence: Evidence, send: Send, tokens: Map<number, string>): void {
  for (const id of send.receipt?.evicted_unread ?? []) {
    const token = tokens.get(id) ?? "";
    if (wasRead(evidence, token, send))
      evidence.world.violated(
        "evictions are as designed",
        `${token} went as unread, and had been read`,
        ...[token, send.token].flatMap(evidence.trace),
      );
  }
}
