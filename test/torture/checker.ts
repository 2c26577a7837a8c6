import type { Run } from "./run.ts";
import type { Clear, Client, Fetch, History, Notification, Send } from "./run-history.ts";
import { isIntact, tokenOf } from "./texts.ts";

/** A page that offers a message as unread, and with which label. */
interface Showing {
  fetch: Fetch;
  redelivered: boolean;
}

const windowSize = 20; // a clear deletes no more
const noticeMilliseconds = 1_000; // more than between the start of a notification and what the run hears of it
const afterKillMilliseconds = 2_000; // a database does what it was sent, also for a process that was killed
const slowMilliseconds = 2_900; // a notifier that takes 3 s counts as failed

/** Checks invariants 1 to 4 on all that happened in a round. */
export function checkHistory(run: Run): void {
  const sends = new Map(run.history.sends.map((send) => [send.token, send]));
  const showings = new Map<Send, Showing[]>(run.history.sends.map((send) => [send, []]));
  for (const fetch of run.history.fetches) {
    for (const { text, fresh, redelivered, files } of fetch.page?.shown ?? []) {
      const send = sends.get(tokenOf(text));
      if (!send || send.sender === fetch.reader || !isIntact(send.text, text))
        run.violated("kept", `nobody sent ${fetch.reader}: ${text.slice(0, 80)}`, [tokenOf(text)]);
      else if (files !== undefined && files !== send.files)
        run.violated("kept", `it has ${files} files of ${send.files}`, [send.token]);
      else if (fetch.process && !isFor(send, fetch))
        run.violated("project", `a page for ${fetch.project} shows what is for ${send.project}`, [send.token]);
      if (send && fresh) showings.get(send)?.push({ fetch, redelivered });
    }
  }
  checkKept(run, showings);
  for (const [send, all] of showings) checkOnce(run, send, all);
  checkOrder(run, "desktop", sends);
  checkOrder(run, "code", sends);
  checkNotified(run, sends);
}

/** Whether a page is to show the message if it waits, as far as its receipt tells: without one, its project is unknown. */
function isFor(send: Send | undefined, { project }: Fetch): boolean {
  return project === null || !send?.project || send.project.toLowerCase() === project;
}

/** Whether a page is surely to show it. */
function isSurelyFor(send: Send | undefined, fetch: Fetch): boolean {
  return fetch.project === null || (send !== undefined && send.id !== null && isFor(send, fetch));
}

function checkKept(run: Run, showings: Map<Send, Showing[]>): void {
  const { sends, fetches, clears, calm } = run.history;
  const lost = sends.filter((send) => {
    // in calm, a client that cancels after the answer is surely offered the page again
    const isSeen = ({ fetch }: Showing) =>
      !(fetch.cancelled && fetch.from > calm) && isInFile(run.history, fetch, send);
    return send.id !== null && !showings.get(send)?.some(isSeen) && !isGone(run.history, send);
  });
  const done = clears.filter(({ refused }) => refused === null);
  const uncleared = lost.filter(({ from }) => done.every(({ to }) => to < from));
  const cleared = done.reduce((sum, { deletedUnread }) => sum + (deletedUnread ?? windowSize), 0);
  const unnamed = fetches.reduce((sum, { page }) => sum + (page?.unnamed ?? 0), 0);
  if (uncleared.length <= unnamed && lost.length <= unnamed + cleared) return;
  const what = `${lost.length} are lost, of which ${uncleared.length} cannot have been cleared`;
  const tokens = (uncleared.length > unnamed ? uncleared : lost).map(({ token }) => token);
  run.violated("kept", `${what}; ${unnamed} were dropped without an id, ${cleared} cleared`, tokens);
}

/** Whether it may be in a file that was removed, or a page of its file reports it as dropped. */
function isGone(history: History, send: Send): boolean {
  const isReport = (fetch: Fetch) => fetch.reader !== send.sender && fetch.page?.dropped.includes(send.id ?? 0);
  if (history.filesOf(send).some((file) => history.removed.has(file))) return true;
  return history.fetches.some((fetch) => isReport(fetch) && isInFile(history, fetch, send));
}

/** Whether the page, or the clear, may be of the file that the message is in. */
export function isInFile(history: History, request: Fetch | Clear, send: Send): boolean {
  const files = history.filesOf(send);
  return history.filesOf(request).some((file) => files.includes(file));
}

function checkOnce(run: Run, send: Send, showings: Showing[]): void {
  const { history } = run;
  if (history.filesOf(send).length > 1) return; // it may be in both
  // the original looks first and marks then, and others may come between
  const byRelay = showings.filter(({ fetch }) => fetch.process);
  const unlabelled = byRelay.filter(({ redelivered }) => !redelivered);
  const isLate = unlabelled.some(({ fetch }) => byRelay.some((other) => other.fetch.to < fetch.from));
  if (unlabelled.length > 1 || isLate) run.violated("once", `${unlabelled.length} times unlabelled`, [send.token]);
  const done = byRelay.filter(({ fetch }) => isUndisturbed(history, fetch));
  if (done.some(({ fetch }) => byRelay.some((other) => other.fetch.from > fetch.settled)))
    run.violated("once", "again after it was acknowledged", [send.token]);
}

/** Whether nothing could keep the page from being acknowledged. */
function isUndisturbed(history: History, { process, cancelled, from, settled }: Fetch): boolean {
  if (!process || cancelled || !Number.isFinite(settled) || process.killed < settled) return false;
  return !history.isTroubled({ from, to: settled });
}

function checkOrder(run: Run, reader: Client, sends: Map<string, Send>): void {
  const { history } = run;
  const pages = history.fetches
    .filter((fetch) => fetch.reader === reader && fetch.process && fetch.page)
    .map((fetch) => {
      const fresh = fetch.page?.shown.filter((shown) => shown.fresh) ?? [];
      const ids = fresh.map(({ id }) => id);
      const tokens = fresh.map(({ text }) => tokenOf(text));
      const first = fresh.filter(({ redelivered }) => !redelivered);
      return { fetch, ids, tokens, first, last: Math.max(...ids), files: history.filesOf(fetch) };
    });
  for (const { fetch, ids, tokens, first, files } of pages) {
    if (ids.some((id, index) => id <= (ids[index - 1] ?? 0))) run.violated("order", `a page shows ${ids}`, tokens);
    const before = pages
      .filter((page) => page.fetch.to < fetch.from)
      .filter((page) =>
        first.some(({ id, text }) => id < page.last && isSurelyFor(sends.get(tokenOf(text)), page.fetch)),
      )
      .filter((page) => new Set([...page.files, ...files]).size === 1)
      .find((page) => !mayBeReleased(history, page.fetch, run.server ? afterKillMilliseconds : 0));
    if (before) run.violated("order", `${reader} got ${ids} after ${before.last}`, [...before.tokens, ...tokens]);
  }
}

/**
 * Whether another request may have held older messages meanwhile, and released them because nobody saw them, so long after its
 * process ended.
 */
function mayBeReleased({ fetches }: History, { reader, from, to }: Fetch, late: number): boolean {
  return fetches
    .filter((other) => other.reader === reader && !other.page && other.from < to)
    .some(({ process, cancelled, refused, settled, to }) => {
      const isReleased = cancelled || refused !== null || (process?.asked ?? 0) <= to;
      return process && isReleased && Math.min(settled, process.ended + late) > from;
    });
}

function checkNotified(run: Run, sends: Map<string, Send>): void {
  const { history } = run;
  const byToken = Map.groupBy(history.notifications, ({ token }) => token);
  for (const [token, [first, second, ...others]] of byToken) {
    const send = sends.get(token);
    if (!send || !first || send.muted || send.sender === first.reader)
      run.violated("notified", "nobody is to be told of it", [token]);
    else if (second && history.filesOf(send).length === 1 && (others[0] || !mayRepeat(history, first, second)))
      run.violated("notified", `${others.length + 2} notifications`, [token]);
  }
  for (const { token, from } of history.sends)
    if (from > history.calm && !byToken.has(token)) run.violated("notified", "none in calm", [token]);
}

/** Whether the first notification, or the note that it was shown, may have been cut off. */
function mayRepeat(history: History, { from, process, outcome }: Notification, { from: to }: Notification): boolean {
  if (outcome === "failed" || outcome === "hang") return true;
  if (outcome === "slow" && to - from > slowMilliseconds) return true;
  if (!process || Math.min(process.killed, process.asked) < to) return true;
  return history.isTroubled({ from: from - noticeMilliseconds, to });
}
