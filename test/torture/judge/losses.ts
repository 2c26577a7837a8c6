import { type Client, otherClient } from "../../../src/core/client.ts";
import { claimMilliseconds, windowSize } from "../../../src/core/limits.ts";
import {
  type Clear,
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
import { nothingTold, type Told } from "../page.ts";
import { type Evidence, fileOf, isLostOnOriginal, mayBeGone } from "./evidence.ts";

/** What one client was told of losses, all round long, in one file. */
interface TellingTo {
  /** Times that a message was said to be lost, by its id. */
  times: Map<number, { span: Span; sure: boolean }[]>;
  /** How many more were told of without their ids. */
  others: number;
}

/** Every acknowledged message is seen by its reader, or told as lost to both sides. */
export function judgeLosses(evidence: Evidence): void {
  const { world, history, sends } = evidence;
  const missing: Record<Client, Send[]> = { desktop: [], code: [] };
  const isSeen = ({ token }: Send) =>
    evidence.fresh.get(token)?.some(({ fetch }) => !isOwed(history, fetch)) === true;
  for (const send of sends.values()) {
    if (!send.receipt) continue;
    world.count("messages acknowledged");
    if (isSeen(send)) {
      world.count("messages seen by their reader");
      continue;
    }
    if (isLostOnOriginal(evidence, send)) continue;
    if (mayBeGone(evidence, send)) world.count("messages in files that are gone");
    else if (filesDuring(history, send).some((file) => evidence.kept.has(file))) {
      world.count("messages in files that were renamed");
      judgeKept(evidence, send);
    } else missing[otherClient(send.sender)].push(send);
  }
  const current = history.eras.at(-1)?.file ?? 0;
  for (const reader of ["desktop", "code"] as const) {
    judgeMissing(evidence, reader, missing[reader], collect(evidence, reader, false), current);
    for (const own of [false, true]) judgeTwice(evidence, reader, own, current);
  }
}

// What was delivered to a client that had stopped waiting is offered again, unless its server could not do that any more.
function isOwed({ peace }: History, { cancelled, from }: Fetch): boolean {
  return cancelled && from >= peace;
}

// Nobody reads on in a renamed file. Where nothing was cleared and nothing had to go yet, everything lies in it.
function judgeKept({ world, history, kept, trace }: Evidence, send: Send): void {
  const file = fileDuring(history, send);
  const rows = file === null ? undefined : kept.get(file);
  const isFull = !rows || rows.length >= windowSize;
  if (isFull || clearsOf(history, send).length > 0) return;
  if (!rows.some(({ message }) => message.startsWith(send.token)))
    world.violated("what lay in a renamed file still does", send.token, ...trace(send.token));
}

/** Collects what a client was told: of messages that waited for it, or of its own. */
function collect({ history }: Evidence, client: Client, own: boolean): TellingTo {
  const telling: TellingTo = { times: new Map(), others: 0 };
  const add = (told: Told, span: Span, sure: boolean) => {
    for (const id of own ? told.ownDropped : told.dropped)
      telling.times.set(id, [...(telling.times.get(id) ?? []), { span, sure }]);
    telling.others += own ? told.ownUncounted : told.uncounted;
  };
  const current = history.eras.at(-1)?.file ?? 0;
  const isHere = (span: Span) => filesDuring(history, span).includes(current);
  for (const fetch of history.fetches.filter(isHere)) {
    if (fetch.reader === client && fetch.page && fetch.marks)
      add(fetch.page.told, fetch, isClean(history, fetch));
  }
  if (!own) return telling;
  for (const send of history.sends.filter(isHere)) {
    if (send.sender !== client || !send.receipt) continue;
    const { evicted_unread: evicted } = send.receipt;
    const told = send.told ?? nothingTold;
    add({ ...told, ownDropped: [...told.ownDropped, ...evicted] }, send, isSettled(history, send));
  }
  return telling;
}

// A command ends when its receipt is settled, and a receipt that was left lying for long is not.
function isSettled(history: History, send: Send): boolean {
  if (send.how !== "command" && send.how !== "typed") return false;
  const inTime = send.to - send.from < claimMilliseconds && send.to < send.actor.killed;
  return inTime && troublesIn(history, send).length === 0;
}

function judgeMissing(
  evidence: Evidence,
  reader: Client,
  missing: Send[],
  toReader: TellingTo,
  current: number,
): void {
  const { world, history, trace } = evidence;
  const toAuthor = collect(evidence, otherClient(reader), true);
  const untold: Send[] = [];
  const untoldToAuthor: Send[] = [];
  for (const send of missing) {
    const id = send.receipt?.id ?? 0;
    if (fileOf(evidence, send) !== current) continue; // it was being changed, and more than one may hold it
    if (toReader.times.has(id)) world.count("messages told as dropped");
    else if (!clearedBy(evidence, reader, send)) untold.push(send);
    if (!toAuthor.times.has(id) && !clearedBy(evidence, otherClient(reader), send)) untoldToAuthor.push(send);
  }
  const judge = (sends: Send[], { others }: TellingTo, whom: string) => {
    const cleared = sends.filter((send) => clearsOf(history, send).length > 0);
    const certain = sends.filter((send) => !cleared.includes(send));
    world.count("messages told as cleared", Math.min(others, cleared.length));
    if (certain.length === 0 && cleared.length <= others) return;
    const lost = certain.length > 0 ? certain : cleared;
    world.violated(
      "every acknowledged message is read, or told as lost to both sides",
      `${whom} ${reader} sees and hears nothing of ${lost.map(({ token }) => token).join(" ")} (${others} told without an id)`,
      ...lost.slice(0, 2).flatMap(({ token }) => trace(token)),
    );
  };
  judge(untold, toReader, "the reader");
  judge(untoldToAuthor, toAuthor, "the author for");
}

/** Whether the client itself may have cleared it, and so needs no telling. */
function clearedBy({ history }: Evidence, client: Client, send: Send): boolean {
  return clearsOf(history, send).some((clear) => clear.by === client);
}

/** The clears that may have hit the message: none of those after one that certainly did. */
function clearsOf(history: History, send: Send): Clear[] {
  const file = fileDuring(history, send);
  const certain = history.clears.filter(
    (clear) => clear.done && clear.from > send.to && fileDuring(history, clear) === file,
  );
  const last = Math.min(...certain.map(({ to }) => to));
  return history.clears.filter(
    (clear) =>
      clear.refused === null &&
      clear.to > send.from &&
      clear.from <= last &&
      (file === null || filesDuring(history, clear).includes(file)),
  );
}

// Told in peace, a loss is forgotten; and what was delivered in peace is none.
function judgeTwice(evidence: Evidence, client: Client, own: boolean, current: number): void {
  const { world, history, fresh, sends } = evidence;
  const tokens = new Map(
    [...sends.values()]
      .filter((send) => fileOf(evidence, send) === current)
      .map((send) => [send.receipt?.id ?? 0, send.token]),
  );
  const whom = `${client}, ${own ? "who sent it" : "who was to read it"}`;
  for (const [id, times] of collect(evidence, client, own).times) {
    const token = tokens.get(id) ?? "";
    const isOwn = sends.get(token)?.sender === client;
    if (isOwn !== own && token) continue; // a receipt names whatever went for it
    const inCurrent = times
      .filter(({ span }) => fileDuring(history, span) === current)
      .sort((a, b) => a.span.to - b.span.to);
    const sure = inCurrent.find((time) => time.sure);
    const again = sure && inCurrent.find(({ span }) => span.from > sure.span.to + settleMilliseconds);
    if (again && !mayBeTakenBack(history, sure.span))
      world.violated("a loss is told once", `${id} to ${whom}`, ...evidence.trace(token));
    const read = (fresh.get(token) ?? []).find(({ clean, file }) => clean && file === current);
    if (read && inCurrent.some(({ span }) => span.from > read.fetch.confirmed))
      world.violated("what was read is no loss", `${token} to ${whom}`, ...evidence.trace(token));
  }
}

// Evicted on its way to a reader, a message is told as lost, then arrives, and is lost once more if the reader cancels then.
function mayBeTakenBack({ fetches }: History, told: Span): boolean {
  return fetches.some(
    ({ cancelled, from, released }) =>
      cancelled && overlap(told, { from, to: released + settleMilliseconds }),
  );
}

// A page is confirmed by the next answer; until then its losses may be told again.
const settleMilliseconds = 1_000;
