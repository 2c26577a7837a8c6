import { type Client, clients, otherClient } from "../../src/core/client.ts";
import type { Actor, Announcement, Clear, Fetch, Send, Span, Trouble } from "./history.ts";
import { gather } from "./judge/evidence.ts";
import { judgeAll } from "./judges.ts";
import { nothingTold, type Page, type Shown, type Told } from "./page.ts";
import type { Place } from "./place.ts";
import type { Row } from "./settle.ts";
import { createWorld, type World } from "./world.ts";

/** What differs from a message that was acknowledged, from Code to Desktop; `id` and the like are its receipt's, which else does not say how many wait. */
export type GivenSend = Partial<Send> & Partial<NonNullable<Send["receipt"]>>;

/** What differs from a page of a command that was settled as it was written. */
export type GivenPage = Partial<Fetch> & {
  told?: Partial<Told>;
  waiting?: Page["waiting"];
  exact?: boolean;
};

/** A message on a page, or what differs from it there. */
type OnPage = Send | (Partial<Shown> & { of: Send });

/** A made-up history. Each event takes 10 ms and begins 100 ms after the one before, unless its times are given. */
export interface Scene {
  world: World;
  send(given?: GivenSend): Send;
  sends(count: number, given?: GivenSend): Send[];
  page(shown: OnPage[], given?: GivenPage): void;
  /** A page that nobody saw, because its reader was killed when it had claimed it. */
  killedReader(given?: GivenPage): void;
  /** What is acknowledged, did not have to go, and was not shown to this reader, the oldest first. */
  left(reader: Client): Send[];
  /** Both read what is left, and hear of what had to go unread, as at the end of a round; an author has it in a receipt, too. */
  drain(): void;
  announce(sends: Send[], given?: Partial<Announcement>): void;
  clear(given?: Partial<Clear>): void;
  trouble(kind: Trouble["kind"], span?: Partial<Span>): void;
  /** A process. Where it stands still is a trouble, too. */
  actor(given?: Partial<Actor>): Actor;
  /** Another file is at the path from now on. What becomes of the one before is up to the scene. */
  replace(file: number, span?: Span): void;
  /** The file lies somewhere else now, with these messages in it. */
  keep(file: number, sends: Send[]): void;
  /** The file is gone with what was in it. */
  remove(file: number): void;
  /** The greatest id that the first file held before. */
  begin(base: number): void;
  /** Everything is done in peace, as at the end of a round. */
  rest(from: number): void;
  /** Lies in the file at the end, before anybody reads it. */
  row(send: Send, given?: Partial<Row>): void;
  /** The rules that are violated in what happened. */
  violated(): string[];
}

const never = Number.POSITIVE_INFINITY;

// So long chaos.ts lets a file settle that was replaced.
const settleMilliseconds = 400;

/** An empty history, to be filled and judged. */
export function createScene(): Scene {
  const world = createWorld({} as Place); // nothing is started in it
  const { history } = world;
  const rows: Row[] = [];
  const kept = new Map<number, Row[]>();
  const ids = new Map<string, number>();
  let now = 1_000;
  let nextId = 1;

  const span = (given: Partial<Span> = {}): Span => {
    const from = given.from ?? now;
    const to = given.to ?? from + 10;
    now = Math.max(now, to + 100);
    return { from, to };
  };
  const actor = (given: Partial<Actor> = {}): Actor => {
    const made = { name: "relay", pid: 1, killed: never, asked: never, died: never, stops: [], ...given };
    history.actors.push(made);
    for (const stop of made.stops) history.troubles.push({ kind: "stop", what: "", ...stop });
    return made;
  };
  const own: Record<Client, Actor> = { desktop: actor(), code: actor() };
  const asked = (client: Client) =>
    ({ actor: own[client], how: "command", cancelled: false, refused: null }) as const;

  const scene: Scene = {
    world,
    actor,
    send({ id = nextId, unread = Number.NaN, evicted = [], evicted_unread = [], ...given } = {}) {
      const { sender = "code" } = given;
      const token = `t0-${history.sends.length + 1}.`;
      const receipt = { id, unread, evicted, evicted_unread };
      const about = { token, text: `${token} text`, sender, muted: false, receipt, told: null };
      const send: Send = { ...asked(sender), ...about, ...given, ...span(given) };
      ids.set(token, id);
      nextId = Math.max(nextId, id + 1);
      history.sends.push(send);
      return send;
    },
    sends: (count, given) => Array.from({ length: count }, () => scene.send(given)),
    page(messages, { told, waiting = null, exact = true, ...given } = {}) {
      const shown = messages.map((message) => show(message, ids));
      const reader = given.reader ?? (shown[0] ? otherClient(shown[0].sender as Client) : "desktop");
      const page = { shown, told: { ...nothingTold, ...told }, waiting, exact };
      const time = span(given);
      const about = { reader, marks: true, limit: 20, page, confirmed: time.to, released: time.to };
      history.fetches.push({ ...asked(reader), ...about, ...given, ...time });
    },
    killedReader({ from = now, ...given } = {}) {
      const reader = actor({ killed: from, died: from });
      scene.page([], { page: null, confirmed: never, actor: reader, from, ...given });
    },
    left(reader) {
      const seen = new Set(history.fetches.flatMap(({ page }) => page?.shown.map(({ text }) => text)));
      const gone = new Set(history.sends.flatMap(({ receipt }) => receipt?.evicted));
      return history.sends
        .filter(({ text, sender, receipt }) => receipt && sender !== reader && !seen.has(text))
        .filter(({ receipt }) => !gone.has(receipt?.id))
        .sort((a, b) => (a.receipt?.id ?? 0) - (b.receipt?.id ?? 0));
    },
    drain() {
      for (const reader of clients) {
        const isOwn = (id: number) =>
          history.sends.some(({ receipt, sender }) => receipt?.id === id && sender === reader);
        const lostTo = (client: Client) =>
          history.sends
            .filter(({ sender }) => sender === client)
            .flatMap(({ receipt }) => receipt?.evicted_unread ?? []);
        const byOther = lostTo(otherClient(reader));
        const dropped = [...lostTo(reader), ...byOther].filter((id) => !isOwn(id));
        const told = { dropped, ownDropped: byOther.filter(isOwn) };
        scene.page(scene.left(reader), { reader, told });
      }
    },
    announce(sends, given) {
      const [{ text, actor, sender }] = sends as [Send];
      history.announcements.push({
        reader: otherClient(sender),
        body: sends.length > 1 ? `${sends.length} messages: ${text}` : text,
        actor,
        messages: sends.map(({ token }) => ({ id: ids.get(token) ?? 0, token })),
        outcome: "shown",
        ...given,
        ...span(given),
      });
    },
    clear(given) {
      history.clears.push({
        ...asked("code"),
        by: null,
        done: true,
        receipt: null,
        ...given,
        ...span(given),
      });
    },
    trouble(kind, given) {
      history.troubles.push({ kind, what: "", ...span(given) });
    },
    replace(file, given) {
      const since = span(given);
      history.eras.push({ file, since });
      scene.trouble("replaced", { from: since.from, to: since.to + settleMilliseconds });
    },
    remove: (file) => void history.removed.add(file),
    begin(base) {
      history.base.set(0, base);
      nextId = base + 1;
    },
    rest(from) {
      history.peace = from;
    },
    row: (send, given) => void rows.push({ ...rowOf(send, ids), ...given }),
    keep: (file, sends) =>
      void kept.set(
        file,
        sends.map((send) => rowOf(send, ids)),
      ),
    violated() {
      judgeAll(gather(world, rows, kept));
      return [...new Set(world.violations.map(({ rule }) => rule))];
    },
  };
  return scene;
}

function rowOf({ token, sender, text }: Send, ids: Map<string, number>): Row {
  const id = ids.get(token) ?? 0;
  return {
    id,
    sender,
    message: text,
    notified_at: null,
    notify_tries: 0,
    leased: 0,
    read: 0,
    maybe_shown: 0,
  };
}

function show(message: OnPage, ids: Map<string, number>): Shown {
  const { of, ...given } = "of" in message ? message : { of: message };
  return {
    id: ids.get(of.token) ?? 0,
    sender: of.sender,
    text: of.text,
    fresh: true,
    maybe: false,
    ...given,
  };
}
