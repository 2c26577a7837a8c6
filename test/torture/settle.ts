import { Database } from "bun:sqlite";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Client, clients } from "../../src/core/client.ts";
import { clear, get, send } from "./command-lane.ts";
import type { Fetch } from "./history.ts";
import { judgeAnnounced, judgeAtOnce, judgeEnded, unannounced } from "./judge/remains.ts";
import { oldestToken } from "./notifier.ts";
import { openSession, type Session } from "./session.ts";
import { fetch } from "./tool-calls.ts";
import { kill, type Lane, type World } from "./world.ts";

// Ten times what is normal.
const endMilliseconds = 30_000;
const atOnceMilliseconds = 1_000;
const announceMilliseconds = 40_000;
const takeBackMilliseconds = 2_500;

// After it, whoever sends leases what nobody announces; the slow notifier takes longer.
const peaceMilliseconds = 2_100;
const announcedSoon = 3_000;

// Of a window of 20, and of the losses of a round.
const mostPages = 50;

/** A message as it lies in the file at the end of a round, before anything is read or cleared. */
export interface Row {
  id: number;
  sender: string;
  message: string;
  notified_at: string | null;
  notify_tries: number;
  /** It is, or was, somebody's to announce, who did not say how that ended. */
  leased: number;
  read: number;
  maybe_shown: number;
}

/** Waits until `condition` holds, and tells whether it came to that. */
async function became(condition: () => boolean, milliseconds: number): Promise<boolean> {
  for (const end = performance.now() + milliseconds; performance.now() < end; ) {
    if (condition()) return true;
    await Bun.sleep(25);
  }
  return condition();
}

/** All messages in a file. Throws if it stays locked, or is damaged. */
export function rowsOf(path: string): Row[] {
  using db = new Database(path);
  db.run("PRAGMA busy_timeout = 5000");
  // whoever makes the file may be killed before there is a table in it
  if (!db.query("SELECT 1 FROM sqlite_schema WHERE name = 'messages'").get()) return [];
  return db
    .query<Row, []>(
      `SELECT id, sender, message, notified_at, notify_tries, notify_lease IS NOT NULL AS leased,
       (CASE sender WHEN 'desktop' THEN read_by_code_at ELSE read_by_desktop_at END) IS NOT NULL AS read,
       maybe_shown
       FROM messages ORDER BY id`,
    )
    .all();
}

/** Ends whatever still runs once the lanes are done, and sees that nothing is left. */
export async function endAll(world: World, known: Set<number>): Promise<void> {
  judgeEnded(
    world,
    [...world.alive].map(({ actor }) => `${actor.name} (${actor.pid})`),
  );
  for (const started of world.alive) kill(world, started);
  const strangers = () => processes().filter((pid) => !known.has(pid));
  const ended = await became(() => strangers().length === 0, endMilliseconds);
  judgeEnded(world, ended ? [] : strangers().map(describe));
}

/** All processes that can be seen, without those that only wait to be forgotten. */
export function processes(): number[] {
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && !/^\d+ \(.*\) Z/s.test(read(`/proc/${name}/stat`)))
    .map(Number);
}

function describe(pid: number): string {
  return `${pid}: ${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim()}`;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/**
 * With every lease expired, two servers that live in peace have to announce whatever is left; `slowly` by a notifier
 * that takes so long that others send meanwhile. Answers what they left.
 */
export async function announceRest(world: World, lanes: readonly Lane[], slowly: boolean): Promise<Row[]> {
  if (!existsSync(world.place.buffer)) return [];
  const before = world.history.announcements.length;
  const sessions = await Promise.all(
    clients.map((client, index) => openSession(world, lanes[index] as Lane, client)),
  );
  const begun = () => world.history.announcements.length > before;
  if (slowly) {
    const sendToBoth = () =>
      clients.map((to, index) => sendShort(world, lanes[index + clients.length] as Lane, to));
    const sent = sendToBoth();
    if (await became(begun, announcedSoon)) await Bun.sleep(peaceMilliseconds);
    await Promise.all([...sent, ...sendToBoth()]);
  }
  const stored = () => rowsOf(world.place.buffer);
  await became(() => unannounced(stored()).length === 0, announceMilliseconds);
  judgeAnnounced(world, stored());
  await Bun.sleep(100); // for what is being announced for the second time, and fails
  const rows = rowsOf(world.place.buffer);
  for (const session of sessions) {
    if (!session) continue;
    await takeBack(world, session);
    session.started.actor.asked = world.now();
    void session.started.child.stdin.end();
    await session.ended;
  }
  return rows;
}

// Whoever stopped waiting for a page that was given is offered it again.
async function takeBack(world: World, session: Session): Promise<void> {
  await fetch(
    world,
    session,
    { kind: "fetch", limit: 20, unreadOnly: true, cancelAfter: "answer" },
    () => {},
  );
  const given = world.history.fetches.at(-1)?.page?.shown.filter(({ fresh }) => fresh) ?? [];
  world.count("messages that had to be offered again", given.length);
  const isBack = () => {
    const offered = rowsOf(world.place.buffer).filter((row) => !row.read && row.maybe_shown);
    return given.every(({ id }) => offered.some((row) => row.id === id));
  };
  await became(isBack, takeBackMilliseconds);
}

/** Reads everything that is left for both. */
export async function drain(world: World, lane: Lane): Promise<void> {
  for (const reader of clients) {
    for (let quiet = 0, pages = 0; quiet < 2; pages++) {
      if (pages > mostPages) return world.violated("reading comes to an end", `${pages} pages for ${reader}`);
      const fetch = await get(world, lane, { kind: "get", reader, limit: 20, flags: ["--json"] });
      if (!fetch.page) {
        world.violated("a buffer at peace can be read", String(fetch.refused), fetch);
        return;
      }
      quiet = isEmpty(fetch) ? quiet + 1 : 0;
    }
  }
}

function isEmpty({ page }: Fetch): boolean {
  if (!page) return true;
  const { dropped, ownDropped, uncounted, ownUncounted } = page.told;
  return page.shown.length + dropped.length + ownDropped.length + uncounted + ownUncounted === 0;
}

/** One message in peace: its announcement, its page, and an empty buffer afterwards. Answers the greatest id so far. */
export async function beginAnew(world: World, lane: Lane): Promise<number> {
  await clear(world, lane);
  for (const name of readdirSync(world.place.home))
    if (name.startsWith("away-")) rmSync(join(world.place.home, name));
  const before = world.history.announcements.length;
  const sent = await sendShort(world, lane, "desktop");
  const heard = () =>
    world.history.announcements.slice(before).some(({ body }) => oldestToken(body) === sent.token);
  // the command that sent it ends when it was announced
  judgeAtOnce(world, sent, await became(heard, atOnceMilliseconds));
  await drain(world, lane);
  await clear(world, lane);
  return sent.receipt?.id ?? 0;
}

function sendShort(world: World, lane: Lane, to: Client) {
  const draft = { size: 10, shape: "plain" } as const;
  return send(world, lane, { kind: "send", draft, to, muted: false, piped: false });
}
