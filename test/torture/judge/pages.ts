import { otherClient } from "../../../src/core/client.ts";
import {
  type Fetch,
  fileDuring,
  filesDuring,
  type History,
  isClean,
  type Send,
  troublesIn,
} from "../history.ts";
import { asShown } from "../page.ts";
import { type Evidence, fileOf, type Showing } from "./evidence.ts";

// Ten times what it may take until this run reads what is there to be read.
const readingMilliseconds = 1_000;

const smallCharacters = 8_192;

/** A page goes to one reader, again only with a label; older before newer; every text as it was sent. */
export function judgePages(evidence: Evidence): void {
  for (const showing of evidence.showings) judgeText(evidence, showing);
  for (const showings of evidence.fresh.values()) {
    judgeOnce(evidence, showings);
    judgeTaken(evidence, showings);
    judgeLabels(evidence, showings);
  }
  for (const fetch of evidence.history.fetches) judgePage(evidence, fetch);
  for (const reader of ["desktop", "code"] as const) judgeOrder(evidence, reader);
  judgeCleared(evidence);
}

function judgeText(evidence: Evidence, { fetch, shown, token, file }: Showing): void {
  const { world, sends } = evidence;
  const send = sends.get(token);
  const about = () => evidence.trace(token);
  if (!send || !fetch.page) {
    world.violated("a page shows what was sent", `nobody sent ${shown.text.slice(0, 40)}`, fetch, ...about());
    return;
  }
  const { text, sender, receipt } = send;
  const same = asShown(text, fetch.page) === shown.text && sender === shown.sender;
  if (!same || sender !== otherClient(fetch.reader))
    world.violated(
      "a page shows what was sent",
      `${token} is not as it was`,
      shown.text.slice(0, 200),
      ...about(),
    );
  const stored = fileOf(evidence, send);
  if (receipt && receipt.id !== shown.id && file !== null && stored === file)
    world.violated("a page shows what was sent", `${token} has another id`, ...about());
  if (send.from > fetch.to) world.violated("a page shows what was sent", `${token} came later`, ...about());
}

function judgeOnce(evidence: Evidence, showings: Showing[]): void {
  const { world, sends, history } = evidence;
  const [first] = showings;
  const send = first && sends.get(first.token);
  if (!send) return;
  const plain = showings.filter(({ shown, fetch }) => !shown.maybe && fetch.how !== "original");
  const files = filesDuring(history, send);
  if (files.length === 2) judgeBoth(evidence, send, plain);
  if (files.length > 1) return;
  const late = plain.some(({ fetch }) =>
    showings.some((other) => other.fetch.how !== "original" && other.fetch.to < fetch.from),
  );
  if (plain.length > 1 || late)
    world.violated(
      "a page goes to one reader",
      `${send.token} went to ${plain.length}`,
      ...evidence.trace(send.token),
    );
  for (const clean of showings.filter((showing) => showing.clean)) {
    const again = showings.find((other) => other !== clean && other.fetch.from > clean.fetch.confirmed);
    if (again)
      world.violated(
        "what was delivered is not offered again",
        `${send.token} was`,
        ...evidence.trace(send.token),
      );
  }
}

// What was being sent while the file was changed may be in both files, in each of them once.
function judgeBoth({ world, trace }: Evidence, { token }: Send, plain: Showing[]): void {
  const inOne = plain.filter(({ file }) => file !== null);
  if (new Set(inOne.map(({ file }) => file)).size < inOne.length)
    world.violated("a page goes to one reader", `${token} is in one file twice`, ...trace(token));
}

// What was given to somebody else, because its reader stood still, is not shown to that reader any more. A small page is
// written in one stroke; of a large one a part may have been on its way. What this run read after the reader went on was
// written after it: it stood still for longer than this run takes to read.
function judgeTaken({ world, history, trace }: Evidence, showings: Showing[]): void {
  const small = ({ fetch }: Showing) =>
    (fetch.page?.shown ?? []).reduce((sum, { text }) => sum + text.length, 0) < smallCharacters;
  const byRelay = showings.filter(({ fetch }) => fetch.how !== "original");
  for (const late of byRelay.filter(small)) {
    const stops = late.fetch.actor.stops.filter(
      ({ from, to }) => to - from > readingMilliseconds && late.fetch.from < from && to < late.fetch.to,
    );
    const other = byRelay.find(({ fetch }) =>
      stops.some((stop) => fetch.from > stop.from && fetch.to < stop.to),
    );
    if (!other || troublesIn(history, late.fetch).some(({ kind }) => kind === "replaced")) continue;
    world.violated("a page that went elsewhere is not shown", late.token, ...trace(late.token));
  }
}

function judgeLabels({ world, history, sends, trace }: Evidence, showings: Showing[]): void {
  for (const { shown, fetch, token } of showings) {
    const sent = sends.get(token);
    if (!shown.maybe || !sent) continue;
    world.count("messages shown as perhaps shown before");
    const why = history.fetches.some(
      (other) =>
        other !== fetch &&
        other.marks &&
        other.how !== "original" &&
        other.reader === fetch.reader &&
        other.from < fetch.to &&
        other.to > sent.from &&
        mayHaveHeld(history, other, token) &&
        !isClean(history, other),
    );
    if (!why) world.violated("a label has a reason", `${token} has none`, ...trace(token));
  }
}

// Where the file goes away just as a page is claimed in it, the claim goes with it, and the page comes from the next one.
function mayHaveHeld(history: History, fetch: Fetch, token: string): boolean {
  const { page } = fetch;
  return (
    !page || filesDuring(history, fetch).length > 1 || page.shown.some(({ text }) => text.startsWith(token))
  );
}

function judgePage({ world }: Evidence, fetch: Fetch): void {
  const { page, limit, how } = fetch;
  if (!page) return;
  const ids = page.shown.map(({ id }) => id);
  if (ids.some((id, index) => index > 0 && id <= (ids[index - 1] ?? 0)))
    world.violated("a page is in time order", ids.join(", "), fetch);
  if (ids.length > limit) world.violated("a page has a limit", `${ids.length} of ${limit}`, fetch);
  if (how !== "original" && page.shown.some(({ maybe }) => maybe)) world.count("pages with such messages");
}

/** What a later page begins with is newer than what earlier ones held, unless it came back from another one. */
function judgeOrder(evidence: Evidence, reader: Fetch["reader"]): void {
  const { world, history } = evidence;
  const pages = history.fetches
    .filter((fetch) => fetch.reader === reader && fetch.marks && fetch.how !== "original")
    .filter((fetch) => fetch.page?.shown.some(({ fresh }) => fresh));
  const ended = [...pages].sort((a, b) => a.to - b.to);
  let next = 0;
  const greatest = new Map<number, { fetch: Fetch; id: number }>();
  for (const page of [...pages].sort((a, b) => a.from - b.from)) {
    for (let before = ended[next]; before && before.to < page.from; before = ended[++next]) {
      const file = fileDuring(history, before);
      const id = Math.max(...freshIds(before, true));
      if (file !== null && id > (greatest.get(file)?.id ?? 0)) greatest.set(file, { fetch: before, id });
    }
    const file = fileDuring(history, page);
    const earlier = file === null ? undefined : greatest.get(file);
    const late = freshIds(page, false).filter((id) => earlier && id < earlier.id);
    if (!earlier || late.length === 0 || cameBack(evidence, reader, earlier.fetch)) continue;
    world.violated(
      "older messages come before newer ones",
      `${late.join(", ")} after ${earlier.id}`,
      earlier.fetch,
      page,
    );
  }
}

function freshIds({ page }: Fetch, labelled: boolean): number[] {
  return (page?.shown ?? []).filter(({ fresh, maybe }) => fresh && (labelled || !maybe)).map(({ id }) => id);
}

// Some other fetch may have held them meanwhile, and given them back before anything was shown. One that was killed
// gives nothing back: what it held comes with a label.
function cameBack({ history }: Evidence, reader: Fetch["reader"], earlier: Fetch): boolean {
  return history.fetches.some(
    (other) =>
      other.reader === reader &&
      other.marks &&
      !other.page &&
      (other.cancelled || other.refused !== null || other.actor.asked <= other.to) &&
      other.from < earlier.to &&
      other.released > earlier.from,
  );
}

function judgeCleared(evidence: Evidence): void {
  const { world, history, sends, showings } = evidence;
  for (const clear of history.clears.filter(({ done }) => done)) {
    const file = fileDuring(history, clear);
    if (file === null) continue;
    for (const showing of showings) {
      const send = sends.get(showing.token);
      if (!send || showing.file !== file || showing.fetch.from < clear.to) continue;
      if (fileOf(evidence, send) === file && send.to < clear.from)
        world.violated("what was cleared is gone", `${send.token} is not`, ...evidence.trace(send.token));
    }
  }
}
