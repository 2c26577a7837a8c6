import { askedNow } from "./commands.ts";
import type { Clear, Fetch, Send } from "./history.ts";
import { judgeFraming } from "./judge/processes.ts";
import { readCleared, readFramed, readReceipt } from "./page.ts";
import type { ServerAction } from "./plan.ts";
import type { Answer, Session } from "./session.ts";
import { mostMilliseconds, type World } from "./world.ts";

const refusedMilliseconds = 25;

async function inTime(world: World, answer: Promise<Answer | null>, record: object): Promise<Answer | null> {
  let timer: Timer | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => {
      world.violated("every request is answered", `none for ${mostMilliseconds / 1000} s`, record);
      resolve(null);
    }, mostMilliseconds);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** Sends everything at once. What is cancelled is waited for `later`. */
export async function sendAll(
  world: World,
  session: Session,
  { drafts, cancel }: Extract<ServerAction, { kind: "send" }>,
  later: (work: Promise<void>) => void,
): Promise<void> {
  const asked = drafts.map((draft) => {
    const { token, text } = world.compose(draft);
    const record = sendRecord(world, session, token, text);
    return { record, ...session.ask("tools/call", { name: "relay_send", arguments: { message: text } }) };
  });
  const works = asked.map(({ record, answer }, index) => {
    record.cancelled = index === cancel;
    const work = (record.cancelled ? answer : inTime(world, answer, record)).then((given) =>
      settleSend(world, record, given),
    );
    return { record, work };
  });
  const victim = cancel === null ? undefined : asked[cancel];
  if (victim) {
    session.cancel(victim.id);
    world.count("requests cancelled");
  }
  for (const { record, work } of works) {
    if (record.cancelled) later(work);
    else await work;
  }
}

function sendRecord(world: World, { client, started }: Session, token: string, text: string): Send {
  const record: Send = {
    ...askedNow(world),
    actor: started.actor,
    how: "tool",
    token,
    text,
    sender: client,
    muted: false,
    receipt: null,
    told: null,
  };
  world.history.sends.push(record);
  world.count("sends by tool");
  return record;
}

async function settleSend(world: World, record: Send, answer: Answer | null): Promise<void> {
  record.to = answer?.at ?? world.now();
  if (answer?.refused) await refused(record, answer);
  else if (answer) Object.assign(record, readReceipt(answer.text));
}

// Whoever is refused does not ask again at once.
async function refused(record: { refused: string | null }, { text }: Answer): Promise<void> {
  record.refused = text;
  await Bun.sleep(refusedMilliseconds);
}

/** Asks for a page, with the tool or the prompt. What is cancelled is waited for `later`. */
export async function fetch(
  world: World,
  session: Session,
  action: Extract<ServerAction, { kind: "fetch" | "prompt" }>,
  later: (work: Promise<void>) => void,
): Promise<void> {
  const isTool = action.kind === "fetch";
  const record: Fetch = {
    ...askedNow(world),
    actor: session.started.actor,
    how: isTool ? "tool" : "prompt",
    reader: session.client,
    marks: true,
    limit: isTool ? action.limit : 5,
    page: null,
    confirmed: Number.POSITIVE_INFINITY,
    released: Number.POSITIVE_INFINITY,
  };
  world.history.fetches.push(record);
  world.count(isTool ? "fetches by tool" : "prompts");
  const { id, answer } = isTool
    ? session.ask("tools/call", {
        name: "relay_fetch",
        arguments: { limit: action.limit, unread_only: action.unreadOnly },
      })
    : session.ask("prompts/get", { name: "get" });
  world.asking.add(session.started);
  const cancelAfter = isTool ? action.cancelAfter : null;
  record.cancelled = cancelAfter === "answer";
  const settled = answer.then((given) => settleFetch(world, session, record, given));
  if (typeof cancelAfter === "number") {
    await Bun.sleep(cancelAfter);
    record.cancelled = true;
    later(settled);
  } else
    await inTime(
      world,
      settled.then(() => answer),
      record,
    );
  if (!record.cancelled) return;
  session.cancel(id);
  world.count("requests cancelled");
}

// A page is not claimed before the one before is settled, or was tried to be given back.
function earlierFetches({ history }: World, { actor, from }: Fetch): Fetch[] {
  return history.fetches.filter((other) => other.actor === actor && other.from < from);
}

// A later page is not made before the one before is settled, and a page within the pipe is settled as it is written.
async function settleFetch(
  world: World,
  session: Session,
  record: Fetch,
  answer: Answer | null,
): Promise<void> {
  record.to = answer?.at ?? world.now();
  world.asking.delete(session.started);
  for (const before of [...earlierFetches(world, record), ...(record.cancelled ? [] : [record])])
    before.released = Math.min(before.released, record.to);
  if (!answer) return;
  if (answer.refused) return refused(record, answer);
  record.page = judgeFraming(world, answer.text, readFramed);
  if (answer.text.length < 16_384) {
    session.onSettled(() => {
      record.confirmed = world.now();
    });
  }
}

/** Empties the buffer. */
export async function clear(world: World, session: Session): Promise<void> {
  const record: Clear = {
    ...askedNow(world),
    actor: session.started.actor,
    how: "tool",
    by: session.client,
    done: false,
    receipt: null,
  };
  world.history.clears.push(record);
  world.count("clears");
  const { answer } = session.ask("tools/call", { name: "relay_clear", arguments: {} });
  const given = await inTime(world, answer, record);
  record.to = given?.at ?? world.now();
  record.done = given !== null && !given.refused;
  if (given?.refused) await refused(record, given);
  else if (given) record.receipt = readCleared(given.text);
}
