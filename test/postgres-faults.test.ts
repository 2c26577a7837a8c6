// A database under load, of which every part fails: processes of relay and of PostgreSQL that end or stand still at any moment.
import { expect, test } from "bun:test";
import { isRunning } from "../src/platform/process.ts";
import { connect, type Peer } from "./support/peer.ts";
import { hasPostgres, startPostgres } from "./support/postgres-server.ts";
import { sandbox, until } from "./support/sandbox.ts";
import type { Page } from "./torture/run-history.ts";
import { readFramed } from "./torture/texts.ts";

// Their messages stay within the history, so that the database has all of them at the end.
const senders = 40;
const messagesEach = 24;

const fetchers = 8;

/** A fetch, from its call to its answer, in milliseconds; without one, it failed. */
interface Fetch {
  from: number;
  to: number;
  page: Page | null;
}

test.skipIf(!hasPostgres)(
  "a database with eight readers and forty senders loses and doubles nothing, whatever ends or stands still",
  async () => {
    await using server = await startPostgres({ max_connections: "300" });
    const { database } = await server.database();
    const query = (text: string) => server.query(text, database);
    await using box = sandbox();
    const url = `postgres://admin@127.0.0.1:${server.port}/${database}`;
    expect((await box.relay(["connect", url, "--yes"])).status).toBe(0);
    const start = (client: string) =>
      connect(box, { args: ["--client", client], env: { RELAY_NOTIFY: "off" }, name: "test-client" });
    const acknowledged: { text: string; id: number }[] = [];
    const fetches: Fetch[] = [];
    let gate = Promise.withResolvers<void>();
    gate.resolve();
    let pending = 0;
    let isOver = false;

    const call = async (peer: Peer, tool: string, args: Record<string, unknown>) => {
      pending += 1;
      const answer = await peer.call(tool, args).catch(() => null);
      pending -= 1;
      return answer;
    };
    async function send(peer: Peer, text: string) {
      const answer = await call(peer, "relay_send", { message: text });
      if (answer && !answer.isError) acknowledged.push({ text, id: JSON.parse(answer.text).id });
      return answer;
    }
    async function fetch(reader: Peer): Promise<void> {
      const from = performance.now();
      const answer = await call(reader, "relay_fetch", { limit: 20 });
      const page = answer && !answer.isError ? readFramed(answer.text) : null;
      fetches.push({ from, to: performance.now(), page });
    }
    const kill = ({ pid }: Peer) => {
      if (isRunning(pid)) process.kill(pid, "SIGKILL");
    };

    /** Waits until a fetch holds a lease, and stops its process there. Answers the fetch, which does not end. */
    async function stopInFetch(reader: Peer, sender: Peer): Promise<{ fetched: Promise<void> }> {
      for (;;) {
        for (let n = 0; n < 3; n++) await send(sender, `held-${crypto.randomUUID()}`);
        const fetched = fetch(reader);
        await Bun.sleep(Math.random() * 6);
        process.kill(reader.pid, "SIGSTOP");
        await Bun.sleep(100); // which a reader that runs does not need
        const leased =
          "SELECT FROM relay.messages WHERE message LIKE 'held%' AND read_at IS NULL AND leased_at IS NOT NULL";
        if ((await query(leased)).length > 0) return { fetched };
        process.kill(reader.pid, "SIGCONT");
        await fetched;
      }
    }

    const peers = await Promise.all(Array.from({ length: senders }, () => start("desktop")));
    const [reader, sender] = [await start("code"), await start("desktop")];
    const sending = peers.map(async (first, number) => {
      let peer = first;
      for (let n = 0; n < messagesEach && !isOver; n++) {
        await gate.promise;
        if (Math.random() < 0.05) setTimeout(kill, Math.random() * 30, peer);
        if ((await send(peer, `${number}-${n}`)) === null) peer = await start("desktop");
        await Bun.sleep(200 + Math.random() * 200);
      }
    });
    const fetching = Array.from({ length: fetchers - 1 }, async () => {
      while (!isOver) {
        const reader = await start("code");
        for (let page = 0; page < 8 && !isOver; page++) {
          await gate.promise;
          await fetch(reader);
          await Bun.sleep(Math.random() * 100);
        }
        const last = fetch(reader);
        setTimeout(kill, Math.random() * 20, reader);
        await last;
      }
    });
    await until("messages", () => acknowledged.length > 100, 30_000);
    server.control("restart", "-m", "immediate");
    await until("messages", () => acknowledged.length > 200, 30_000);
    const backend = "SELECT pid FROM pg_stat_activity WHERE application_name = 'relay' LIMIT 1";
    // all backends restart; as the server's user, who can kill no other process that has this number by now
    for (const { pid } of await query(backend)) server.run(["sh", "-c", `kill -9 ${pid} || true`]);
    await until("messages", () => acknowledged.length > 300, 30_000);

    // all is quiet, because the window would be full of later messages before the lease ends
    gate = Promise.withResolvers();
    await until("the last answers", () => pending === 0);
    const { fetched } = await stopInFetch(reader, sender);
    const sent = send(sender, "from a sender that stood still");
    process.kill(sender.pid, "SIGSTOP");
    const other = await start("code");
    const isOffered = async () => {
      await fetch(other);
      return (
        fetches.at(-1)?.page?.shown.some(({ text, redelivered }) => redelivered && text.startsWith("held")) ?? false
      );
    };
    await until("the page of the stopped reader, for another one", isOffered, 30_000);
    for (const { pid } of [reader, sender]) process.kill(pid, "SIGCONT");
    await Promise.all([fetched, sent]);
    gate.resolve();
    await until("messages", () => acknowledged.length > 400, 30_000);
    server.control("restart", "-m", "immediate");
    await until("messages", () => acknowledged.length > 500, 30_000);
    isOver = true;
    await Promise.all([...sending, ...fetching]);

    const rows = await query(
      `SELECT id::int, message AS text, read_at IS NOT NULL AS read, left_at IS NOT NULL AND read_at IS NULL
         AND NOT EXISTS (SELECT FROM relay.dropped WHERE message_id = id) AS reported FROM relay.messages ORDER BY id`,
    );
    const stored = rows as { id: number; text: string; read: boolean; reported: boolean }[];
    const ids = new Map(stored.map(({ id, text }) => [text, id]));
    expect(ids.size).toBe(stored.length);
    expect(acknowledged.filter(({ text, id }) => ids.get(text) !== id)).toEqual([]);
    // a sender's own messages are in its order
    const numbered = Map.groupBy(
      stored.filter(({ text }) => /^\d/.test(text)).map(({ text }) => text.split("-").map(Number)),
      ([sender]) => sender,
    );
    for (const own of numbered.values()) expect(own).toEqual(own.toSorted(([, a = 0], [, b = 0]) => a - b));

    const pages = fetches.flatMap(({ page, ...when }) => (page ? [{ ...when, ...page }] : []));
    const showings = Map.groupBy(
      pages.flatMap(({ shown, from, to }) => shown.map((each) => ({ ...each, from, to }))),
      ({ text }) => text,
    );
    expect(stored.filter(({ text, read }) => read && !showings.has(text))).toEqual([]);
    const reported = new Set(pages.flatMap(({ dropped }) => dropped));
    const unnamed = pages.reduce((sum, page) => sum + page.unnamed, 0);
    expect(stored.filter((message) => message.reported && !reported.has(message.id)).length).toBeLessThanOrEqual(
      unnamed,
    );
    const unlabelled = [...showings.values()].filter((all) =>
      all
        .filter(({ redelivered }) => !redelivered)
        .some((each) => all.some((other) => other !== each && (!other.redelivered || other.to < each.from))),
    );
    expect(unlabelled).toEqual([]);

    const failed = fetches.filter(({ page }) => page === null); // which may give back what nobody saw
    for (const { shown, from, to } of pages) {
      expect(shown).toEqual(shown.toSorted((a, b) => a.id - b.id));
      const first = shown.find(({ redelivered }) => !redelivered);
      const late = pages.filter((before) => before.to < from && first && before.shown.some(({ id }) => id > first.id));
      expect(late.filter((before) => !failed.some((other) => other.from < to && other.to > before.from))).toEqual([]);
    }
  },
  180_000,
);
