import type { Process, Run } from "./run.ts";
import type { Clear, Fetch, Page, Request, Send } from "./run-history.ts";

/** Reads a page, and throws if it is none. */
export type Read = (text: string) => Page;

/** How a request ended: the text of its answer, or of its refusal; neither if nobody knows. */
export interface Ending {
  answer?: string | undefined;
  refused?: string | undefined;
}

type Answer = Promise<Ending>;
type Asked = Process | null;
type Wanted = Pick<Fetch, "reader" | "project"> & { file?: number };
type Message = Omit<Send, keyof Request | "id" | "project">;

const refusedMilliseconds = 25; // nobody who is refused asks again at once
const never = Number.POSITIVE_INFINITY;

/** Notes that a message is being sent, and then how that ended. */
export async function noteSend(run: Run, process: Asked, message: Message, ending: Answer): Promise<Send> {
  const send: Send = { ...message, ...begin(process), id: null, project: null };
  run.history.sends.push(send);
  const answer = await end(run, send, ending);
  if (!answer) return send;
  const { id, project = null, evicted = [], evicted_unread: unread = [] } = JSON.parse(answer);
  Object.assign(send, { id, project });
  run.count("acknowledged");
  run.count("evictions", evicted.length);
  run.count("evictions of unread messages", unread.length);
  return send;
}

/** Notes that a page is being asked for, and then what came. A text that is no page is a violation. */
export function noteFetch(run: Run, process: Asked, wanted: Wanted, ending: Answer, read: Read) {
  const page = { file: null, ...wanted, cancelled: false, page: null, settled: never };
  const fetch: Fetch = { ...begin(process), ...page };
  run.history.fetches.push(fetch);
  const note = async () => {
    if (process) process.isAsked = true;
    const answer = await end(run, fetch, ending);
    if (process) process.isAsked = false;
    if (process?.child.exitCode === 0) fetch.settled = fetch.to;
    try {
      if (answer) fetch.page = read(answer);
    } catch (error) {
      // what a killed process did not write whole may look so
      if (!Number.isFinite(process?.killed)) run.violated("output", `${error} in: ${answer}`);
    }
    return fetch.page;
  };
  return { fetch, noted: note() };
}

/** Notes that the buffer is being cleared, and then how that ended. */
export async function noteClear(run: Run, process: Asked, ending: Answer): Promise<void> {
  const clear: Clear = { ...begin(process), deletedUnread: null };
  run.history.clears.push(clear);
  run.count("clears");
  const [, unread] = /"deleted_unread":(\d+)/.exec((await end(run, clear, ending)) ?? "") ?? [];
  if (unread) clear.deletedUnread = Number(unread);
  if (clear.refused?.includes("may or may not")) clear.refused = null; // a database whose answer was lost
}

function begin(process: Asked): Request {
  return { process, from: performance.now(), to: never, refused: null };
}

async function end(run: Run, request: Request, ending: Answer): Promise<string | undefined> {
  const { answer, refused = null } = await ending;
  Object.assign(request, { to: performance.now(), refused });
  if (refused === null) return answer;
  run.count(`refused: ${refused.replaceAll(/\/\S+/g, "…").replaceAll(/\d+/g, "N").slice(0, 50)}`);
  await Bun.sleep(refusedMilliseconds);
  return answer;
}
