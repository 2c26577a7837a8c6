import { windowSize } from "../../../src/core/limits.ts";
import { type Clear, filesDuring, type Send } from "../history.ts";
import type { Row } from "../settle.ts";
import { type Evidence, fileOf } from "./evidence.ts";

/** What is known of one file: who sent which message in it, and what may have emptied it. */
interface FileStory {
  byId: Map<number, Send>;
  /** Each clear, and the first message that certainly came after it. */
  clears: { clear: Clear; before: number }[];
  /** The original may have sent something that nobody knows the id of. */
  hasUnknownOriginal: boolean;
}

/** The buffer keeps 20: a send to a full one evicts and says so, and nothing else makes it shrink. */
export function judgeWindow(evidence: Evidence): void {
  const { world, history, rows, kept, trace } = evidence;
  const current = history.eras.at(-1)?.file ?? 0;
  const acknowledged = history.sends.filter(({ receipt }) => receipt);
  for (const [file, sends] of Map.groupBy(acknowledged, (send) => fileOf(evidence, send))) {
    if (file === null) continue;
    const story = storyOf(evidence, file, sends);
    const left = file === current ? rows : kept.get(file);
    const last = Math.max(...story.byId.keys(), ...(left ?? []).map(({ id }) => id));
    const least = leastIn(story, last);
    for (const [id, send] of story.byId) {
      const before = leastBefore(story, least, id, send);
      if (before < windowSize || !tellsAll(send)) continue;
      world.count("sends that had to evict");
      if (send.receipt?.evicted.length === 0)
        world.violated("evictions are as designed", "there was no room, and none went", ...trace(send.token));
    }
    // a file that was removed at last, or never made
    if (left && left.length > 0) judgeRows(evidence, file, left, story, least.get(last) ?? 0);
  }
}

function judgeRows(evidence: Evidence, file: number, rows: Row[], story: FileStory, least: number): void {
  const { world, kept, trace } = evidence;
  if (rows.length > windowSize) world.violated("the window is 20", `${rows.length} lie in file ${file}`);
  for (const send of story.byId.values())
    for (const { id } of rows)
      if (send.receipt?.evicted.includes(id))
        world.violated("evictions are as designed", `${id} lies there after it went`, ...trace(send.token));
  // nobody knows what was sent after the last clear
  if (story.clears.some(({ before }) => before === Number.POSITIVE_INFINITY)) return;
  world.count("files that had to hold so many messages");
  const what = `in file ${file} lie ${rows.length}, and there must be ${least}`;
  if (rows.length >= least) return;
  if (kept.has(file)) world.violated("what lay in a renamed file still does", what);
  else world.violated("evictions are as designed", what, rows);
}

function storyOf(evidence: Evidence, file: number, sends: Send[]): FileStory {
  const { history } = evidence;
  const clears = history.clears
    .filter((clear) => filesDuring(history, clear).includes(file))
    .map((clear) => {
      const after = sends.filter((send) => send.from > clear.to).map(({ receipt }) => receipt?.id ?? 0);
      return { clear, before: Math.min(...after) };
    });
  const hasUnknownOriginal = history.sends.some(
    (send) =>
      send.how === "original" && fileOf(evidence, send) === null && filesDuring(history, send).includes(file),
  );
  return { byId: new Map(sends.map((send) => [send.receipt?.id ?? 0, send])), clears, hasUnknownOriginal };
}

/**
 * How many messages there are at the least once each message was stored. Ids have no gaps and grow in the order of
 * storing, so that whoever got no receipt is counted, too: one more, or as many as before if that was 20.
 */
function leastIn(story: FileStory, last: number): Map<number, number> {
  const least = new Map<number, number>();
  // what came before the first one that is known may have been cleared, or have lain in another file
  let since = Math.min(...story.byId.keys());
  for (let id = since; id <= last; id++) {
    const send = story.byId.get(id);
    const before = leastBefore(story, least, id, send);
    if (before === 0) since = id;
    const byRelay = Math.min(windowSize, before + 1);
    const byOriginal = latestLeft(story, since, id);
    const isOriginal = send ? send.how === "original" : null;
    if (isOriginal === null && story.hasUnknownOriginal) least.set(id, Math.min(byRelay, byOriginal));
    else least.set(id, isOriginal ? byOriginal : byRelay);
  }
  return least;
}

/** How many there were at the least just before: none, if a clear may have come between. */
function leastBefore(story: FileStory, least: Map<number, number>, id: number, send?: Send): number {
  const mayBeEmpty = send && story.clears.some(({ clear, before }) => clear.from <= send.to && id <= before);
  return mayBeEmpty ? 0 : (least.get(id - 1) ?? 0);
}

// The original keeps those of the latest 20 that relay had not evicted before, which every send does with one at the most.
function latestLeft({ byId }: FileStory, since: number, id: number): number {
  const first = Math.max(since, id - windowSize + 1);
  let left = 1;
  for (let other = first; other < id; other++) {
    const send = byId.get(other);
    const gone = send && tellsAll(send) ? send.receipt?.evicted.filter((one) => one >= first).length : 1;
    left += 1 - (send?.how === "original" ? 0 : (gone ?? 0));
  }
  return Math.max(1, left);
}

/** Whether the receipt names everything that went for it. One that was typed names only what nobody had read. */
function tellsAll({ how }: Send): boolean {
  return how !== "typed" && how !== "original";
}
