import { Database } from "bun:sqlite";
import { closeSync, constants, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Announcement } from "./history.ts";
import { tokenOf } from "./messages.ts";
import { filesWith } from "./place.ts";
import type { NotifierOutcome } from "./plan.ts";
import type { World } from "./world.ts";

const pollMilliseconds = 15;

/** Hears of every notifier that is started, as long as the run lasts, and tells each how to end. */
export interface Listener {
  /** How the next ones end. */
  outcomes: Iterator<NotifierOutcome, unknown>;
  stop(): void;
}

/** Begins to listen. */
export function listen(world: World): Listener {
  const { calls } = world.place;
  const unanswered = new Map<string, Announcement>();
  const listener: Listener = { outcomes: [][Symbol.iterator](), stop: () => clearInterval(timer) };
  const poll = () => {
    for (const name of filesWith(".call", calls)) {
      const path = join(calls, name);
      const lines = readFileSync(path, "utf8").split("\n");
      rmSync(path);
      const outcome = listener.outcomes.next().value ?? "shown";
      const announcement = hear(world, lines, outcome as NotifierOutcome);
      world.history.announcements.push(announcement);
      world.count("notifiers started");
      if (outcome !== "shown")
        world.count(`notifiers that ${outcome === "slow" ? "took their time" : "did not show"}`);
      unanswered.set(path.replace(/call$/, "answer"), announcement);
    }
    for (const [path, announcement] of unanswered) {
      if (!answer(path, announcement.outcome) && world.now() - announcement.from < 5_000) continue;
      announcement.to = world.now();
      unanswered.delete(path);
    }
  };
  const timer = setInterval(poll, pollMilliseconds);
  return listener;
}

// The notifier waits while this looks: so what its announcer leased is still leased, unless time went by.
function hear(
  world: World,
  [wrapper = "", title = "", body = ""]: string[],
  outcome: NotifierOutcome,
): Announcement {
  const pid = parentOf(wrapper);
  const { actors } = world.history;
  return {
    from: world.now(),
    to: Number.POSITIVE_INFINITY,
    reader: title === "For Desktop, from Code" ? "desktop" : "code",
    body,
    actor: actors.findLast((actor) => actor.pid === pid) ?? null,
    messages: leasedWith(world, oldestToken(body)),
    outcome,
  };
}

/** The name of the message that a notification begins to show. */
export function oldestToken(body: string): string | null {
  return tokenOf(body.replace(/^\d+ (messages|more): /, ""));
}

function parentOf(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null; // gone already
  }
}

function leasedWith(world: World, token: string | null): Announcement["messages"] {
  if (!token) return null;
  try {
    using db = new Database(world.place.buffer, { readonly: true });
    const rows = db
      .query<{ id: number; message: string }, { token: string }>(
        `SELECT id, substr(message, 1, 40) AS message FROM messages WHERE notify_lease =
         (SELECT notify_lease FROM messages WHERE substr(message, 1, length($token)) = $token) ORDER BY id`,
      )
      .all({ $token: token } as never);
    return rows.length === 0 ? null : rows.map(({ id, message }) => ({ id, token: tokenOf(message) }));
  } catch {
    return null; // locked, replaced, or to be mended by whoever may write
  }
}

function answer(path: string, outcome: string): boolean {
  try {
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(descriptor, `${outcome}\n`);
    closeSync(descriptor);
    return true;
  } catch {
    return false; // it does not listen yet, or was killed
  }
}
