import type { Client } from "../../src/client.ts";
import type { Fetch, Send } from "./history.ts";
import { readFramed, readTold } from "./page.ts";
import type { ServerAction } from "./plan.ts";
import { type Answer, openSession, type Session } from "./session.ts";
import type { Lane, World } from "./world.ts";

/** Ten times what a stopped process, a locked file and a queue of requests may take together. */
export const mostMilliseconds = 120_000;

const refusedMilliseconds = 25;

/** Lives a client's life in a round: whenever its server is gone, it starts another. */
export async function serverLane(
  world: World,
  lane: Lane,
  client: Client,
  plan: Iterator<ServerAction, never>,
): Promise<void> {
  while (world.running) {
    const session = await openSession(world, lane, client);
    const pending = new Set<Promise<void>>();
    while (session && world.running && !isOver(session)) {
      const action = plan.next().value;
      await act(world, session, action, (work) => {
        const tracked = work.finally(() => pending.delete(tracked));
        pending.add(tracked);
      });
    }
    if (session && !world.running) leave(world, session, "end of input");
    await session?.ended;
    await Promise.all(pending);
  }
}

function isOver({ started: { actor } }: Session): boolean {
  return [actor.killed, actor.asked, actor.died].some(Number.isFinite);
}

async function act(
  world: World,
  session: Session,
  action: ServerAction,
  later: (work: Promise<void>) => void,
): Promise<void> {
  switch (action.kind) {
    case "send":
      return sendAll(world, session, action, later);
    case "fetch":
      return fetch(world, session, action, later);
    case "prompt":
      // Claude Code has /get instead
      if (session.client === "desktop") return fetch(world, session, action, later);
      return;
    case "clear":
      return clear(world, session);
    case "pause":
      return Bun.sleep(action.milliseconds);
    case "leave":
      leave(world, session, action.how);
  }
}

function leave(world: World, { started }: Session, how: "end of input" | NodeJS.Signals): void {
  const { actor, child } = started;
  actor.asked = Math.min(actor.asked, world.now());
  world.count("servers ended in peace");
  if (how === "end of input") void Promise.resolve(child.stdin.end()).catch(() => {});
  else child.kill(how);
}

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

async function sendAll(
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
    from: world.now(),
    to: Number.POSITIVE_INFINITY,
    actor: started.actor,
    how: "tool",
    cancelled: false,
    refused: null,
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

/** Reads a receipt in JSON. Throws if it is none. */
export function readReceipt(text: string): Pick<Send, "receipt" | "told"> {
  const receipt = JSON.parse(text);
  const told = {
    ...readTold([]),
    ownDropped: receipt.dropped ?? [],
    ownUncounted: receipt.cleared?.length ?? 0,
  };
  return { receipt, told };
}

async function fetch(
  world: World,
  session: Session,
  action: Extract<ServerAction, { kind: "fetch" | "prompt" }>,
  later: (work: Promise<void>) => void,
): Promise<void> {
  const isTool = action.kind === "fetch";
  const record: Fetch = {
    from: world.now(),
    to: Number.POSITIVE_INFINITY,
    actor: session.started.actor,
    how: isTool ? "tool" : "prompt",
    cancelled: false,
    refused: null,
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
  const settled = answer.then((given) => settleFetch(world, session, record, given));
  if (!isTool || action.cancelAfter === null) {
    await inTime(
      world,
      settled.then(() => answer),
      record,
    );
    return;
  }
  await Bun.sleep(action.cancelAfter);
  record.cancelled = true;
  session.cancel(id);
  world.count("requests cancelled");
  later(settled);
}

// A page is not claimed before the one before is settled, or given back.
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
  for (const before of [...earlierFetches(world, record), record])
    before.released = Math.min(before.released, record.to);
  if (!answer) return;
  if (answer.refused) return refused(record, answer);
  try {
    record.page = readFramed(answer.text);
  } catch (error) {
    world.violated("a page is framed", String(error), record, answer.text.slice(0, 3_000));
  }
  if (answer.text.length < 16_384) {
    session.onSettled(() => {
      record.confirmed = world.now();
    });
  }
}

async function clear(world: World, session: Session): Promise<void> {
  const record = {
    from: world.now(),
    to: Number.POSITIVE_INFINITY,
    actor: session.started.actor,
    how: "tool" as const,
    cancelled: false,
    refused: null as string | null,
    by: session.client,
    done: false,
  };
  world.history.clears.push(record);
  world.count("clears");
  const { answer } = session.ask("tools/call", { name: "relay_clear", arguments: {} });
  const given = await inTime(world, answer, record);
  record.to = given?.at ?? world.now();
  record.done = given !== null && !given.refused;
  if (given?.refused) await refused(record, given);
}
