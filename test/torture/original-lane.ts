import { type OriginalProcess, type OriginalRow, startOriginal } from "../support/original-statements.ts";
import { askedNow } from "./commands.ts";
import type { Actor, Clear, Fetch, Send } from "./history.ts";
import { nothingTold } from "./page.ts";
import type { OriginalAction } from "./plan.ts";
import type { World } from "./world.ts";

/** Does what the original does, in one process, until the round is over. */
export async function originalLane(
  world: World,
  plan: Iterator<OriginalAction, never>,
  pause: () => number,
): Promise<void> {
  const { buffer, env, folder } = world.place;
  const original = startOriginal(buffer, { env, cwd: folder });
  const never = Number.POSITIVE_INFINITY;
  const actor: Actor = {
    name: "the original",
    pid: original.pid,
    killed: never,
    asked: never,
    died: never,
    stops: [],
  };
  while (world.running) {
    await act(world, actor, original, plan.next().value);
    await Bun.sleep(pause());
  }
  await original.end();
}

async function act(
  world: World,
  actor: Actor,
  original: OriginalProcess,
  action: OriginalAction,
): Promise<void> {
  const asked = { ...askedNow(world), actor, how: "original" as const };
  world.count("statements of the original");
  if (action.kind === "send") await send(world, asked, original, action);
  else if (action.kind === "fetch") await fetch(world, asked, original, action);
  else {
    const record: Clear = { ...asked, by: null, done: false, receipt: null };
    world.history.clears.push(record);
    const reply = await original.ask("clear");
    record.to = world.now();
    record.done = reply !== null && "done" in reply;
  }
}

type Asked = ReturnType<typeof askedNow> & { how: "original" };

async function send(
  world: World,
  asked: Asked,
  original: OriginalProcess,
  { sender, draft }: Extract<OriginalAction, { kind: "send" }>,
): Promise<void> {
  const { token, text } = world.compose(draft);
  const record: Send = { ...asked, token, text, sender, muted: false, receipt: null, told: null };
  world.history.sends.push(record);
  const reply = await original.ask("send", sender, text);
  record.to = world.now();
  if (reply && "done" in reply)
    record.receipt = { id: Number(reply.done), unread: 1, evicted: [], evicted_unread: [] };
}

async function fetch(
  world: World,
  asked: Asked,
  original: OriginalProcess,
  { reader, limit }: Extract<OriginalAction, { kind: "fetch" }>,
): Promise<void> {
  const never = Number.POSITIVE_INFINITY;
  const record: Fetch = {
    ...asked,
    reader,
    limit,
    marks: true,
    page: null,
    confirmed: never,
    released: never,
  };
  world.history.fetches.push(record);
  const reply = await original.ask("fetch", reader, limit);
  record.to = world.now();
  if (!reply || !("done" in reply)) return;
  // it gives and marks the reader's own, too, which nobody has read for that
  const rows = (reply.done as OriginalRow[]).filter(({ sender }) => sender !== reader);
  const shown = rows.map(({ id, sender, message: text }) => ({
    id,
    sender,
    text,
    fresh: true,
    maybe: false,
  }));
  record.page = { shown, told: nothingTold, waiting: null, exact: true };
  record.confirmed = record.to;
}
