import type { Client } from "../../src/core/client.ts";
import type { ServerAction } from "./plan.ts";
import { openSession, type Session } from "./session.ts";
import { clear, fetch, sendAll } from "./tool-calls.ts";
import type { Lane, World } from "./world.ts";

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
