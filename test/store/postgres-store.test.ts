import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { moveWaiting } from "../../src/cli/move-messages.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { DatabaseUrl } from "../../src/core/database-url.ts";
import type { Store } from "../../src/core/store.ts";
import { connect, PostgresConnection } from "../../src/store/postgres/postgres-connection.ts";
import { migrate } from "../../src/store/postgres/postgres-schema.ts";
import { PostgresStore, type PostgresStoreOptions } from "../../src/store/postgres/postgres-store.ts";
import { startProxy } from "../support/cutting-proxy.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { until } from "../support/sandbox.ts";
import { describeStore } from "./contract.ts";
import { type MakeBuffer, numbers, request, texts } from "./fixture.ts";

describe.skipIf(!hasPostgres)("PostgreSQL", () => {
  let server: PostgresServer;
  let url: DatabaseUrl;
  let people = 0;
  beforeAll(async () => {
    if (!hasPostgres) return;
    server = await startPostgres({ fsync: "off" });
    url = await server.database();
    await new PostgresConnection(url, systemClock, 5_000).use(migrate);
    await server.query(
      "DO $$ BEGIN FOR n IN 1..300 LOOP EXECUTE format('CREATE ROLE person%s LOGIN', n); END LOOP; END $$",
    );
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  /** A person's stores, who has a role of their own. */
  function makePerson() {
    people += 1;
    const own = { ...url, user: `person${people}` };
    const stores: Store[] = [];
    return {
      open(options: Partial<PostgresStoreOptions> = {}): Store {
        const defaults = { url: own, clock: systemClock, machine: () => "here", isRunning: () => true };
        const store = new PostgresStore({ ...defaults, ...options });
        stores.push(store);
        return store;
      },
      url: own,
      async [Symbol.asyncDispose]() {
        for (const store of stores) store.close();
      },
    };
  }

  const make: MakeBuffer = (clock, isRunning) => {
    const person = makePerson();
    // some messages of the contract are larger than any of a person's
    const known = { clock, isRunning, now: clock.now, timeoutMs: 60_000 };
    return {
      ...person,
      open: ({ historyDays, ...process } = {}) =>
        person.open({ ...known, ...process, ...(historyDays !== undefined && { historyDays: () => historyDays }) }),
    };
  };
  describeStore("a store in a PostgreSQL database", make);

  const message = { sender: "desktop", message: "text", notify: "never" } as const;

  test("a connection that is cut anywhere loses no message, and doubles none", async () => {
    await using person = makePerson();
    using proxy = startProxy(server.port);
    let cuts = 0;
    proxy.budget = () => {
      cuts += 1;
      return 1 + Math.random() * 4_000;
    };
    const store = person.open({ url: { ...person.url, host: "127.0.0.1", port: proxy.port } });
    const sent = numbers(1, 150);
    const ids: number[] = [];
    for (const text of sent) ids.push((await store.append({ ...message, message: text })).id);
    expect(cuts).toBeGreaterThan(20);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    const log = await person.open().log({ limit: 1_000 });
    expect(log.map(({ id, message }) => [id, message])).toEqual(ids.map((id, index) => [id, sent[index] ?? ""]));
  }, 30_000);

  test("a page whose lease was cut off is given again at once, and unlabelled", async () => {
    await using person = makePerson();
    using proxy = startProxy(server.port);
    const store = person.open({ url: { ...person.url, host: "127.0.0.1", port: proxy.port } });
    await store.append(message);
    store.close();
    // the answer of a lease is longer than all that the server says before it
    let isFirst = true;
    proxy.budget = () => {
      const budget = isFirst ? 900 : Number.POSITIVE_INFINITY;
      isFirst = false;
      return budget;
    };
    await person.open().append({ ...message, message: "x".repeat(2_000) });
    expect(texts((await store.lease(request())).page.messages)).toEqual(["text", "x".repeat(2_000)]);
    expect(isFirst).toBe(false);
  });

  test("a page leases nothing that it does not bring, because others would get later messages before", async () => {
    const store = makePerson().open({ url });
    const long = "é".repeat(20_000);
    for (let n = 0; n < 3; n++) await store.append({ ...message, message: long });
    const lease = { schema: 1_001, reader: "code", limit: 20, bytes: 65_536, lease: crypto.randomUUID() };
    const [found] = await server.query(`SELECT relay.lease('${JSON.stringify(lease)}') AS page`, url.database);
    expect(found?.page).toMatchObject({ fitting: [1], unread: 3, waiting: [{ id: 1 }, { id: 2 }] });
    expect(texts((await store.lease(request())).page.messages)).toEqual([long]);
    store.close();
  });

  test("a message whose receipt was lost is stored once, and announced by the receipt that its sender gets", async () => {
    const { database } = await server.database();
    await new PostgresConnection({ ...url, database }, systemClock, 5_000).use(migrate);
    const file = { name: "a", type: "text/plain", size: 1, sha256: "x", content: "YQ==" };
    const own = { schema: 1_001, sender: "desktop", message: "text", bytes: 4, notify: "now", machine: "here" };
    const send = async (attempt: object) => {
      const given = JSON.stringify({ ...own, history_days: 0, ...attempt });
      const [row] = await server.query(`SELECT relay.append('${given}') AS receipt`, database);
      return row?.receipt as object;
    };
    const [one, two, three] = [
      { key: crypto.randomUUID() },
      { key: crypto.randomUUID() },
      { key: crypto.randomUUID() },
    ];
    expect(await send(one)).toMatchObject({ id: 1, notification: { count: 1 } });
    expect(await send({ ...one, again: true })).toMatchObject({ id: 1, notification: { count: 1 } });
    const answer = { ...two, reply_to: 1, files: [file], notify: "later" };
    expect(await send(answer)).toMatchObject({ id: 2 });
    await server.query("DELETE FROM relay.messages WHERE id = 1", database);
    expect(await send({ ...answer, again: true })).toMatchObject({ id: 2, notification: null });
    // the first attempt may arrive after the second one
    expect(await send({ ...three, again: true })).toMatchObject({ id: 3 });
    await expect(send(three)).rejects.toThrow("duplicate key");
    expect(
      await server.query(
        "SELECT id::int, (SELECT count(*)::int FROM relay.files f WHERE f.message_id = m.id) AS files FROM relay.messages m ORDER BY id",
        database,
      ),
    ).toEqual([
      { id: 2, files: 1 },
      { id: 3, files: 0 },
    ]);
  });

  test("a message is stored once if PostgreSQL goes on with its first attempt after the second one", async () => {
    await using person = makePerson();
    const store = person.open();
    await store.append(message);
    const [backend] = await server.query(`SELECT pid FROM pg_stat_activity WHERE usename = '${person.url.user}'`);
    const signal = (name: string) => server.run(["sh", "-c", `kill -${name} ${backend?.pid}`]);
    signal("STOP");
    const receipt = await store.append({ ...message, message: "once" }).finally(() => signal("CONT"));
    const isDone = async () => {
      const text = `SELECT FROM pg_stat_activity WHERE pid = ${backend?.pid}`;
      return (await server.query(text)).length === 0;
    };
    await until("the first attempt is over", isDone);
    expect((await store.latest(5)).map(({ id, message }) => [id, message])).toEqual([
      [receipt.id - 1, message.message],
      [receipt.id, "once"],
    ]);
  });

  test("a database that hears and does not answer is given up, and may have done the call", async () => {
    await using person = makePerson();
    using proxy = startProxy(server.port);
    const store = person.open({ url: { ...person.url, host: "127.0.0.1", port: proxy.port }, timeoutMs: 300 });
    await store.append(message);
    proxy.isDeaf = true;
    await expect(store.append(message)).rejects.toMatchObject({
      kind: "buffer",
      message: expect.stringContaining("may or may not"),
    });
    proxy.isDeaf = false;
    expect((await store.counts()).total).toBe(1);
  });

  test("a server that hears of messages asks for none in between, and looks when it hears", async () => {
    await using person = makePerson();
    using proxy = startProxy(server.port);
    const store = person.open({ url: { ...person.url, host: "127.0.0.1", port: proxy.port }, server: 1 });
    let woken = 0;
    store.watch?.(() => {
      woken += 1;
    });
    await until("a look that asks nothing", async () => {
      const before = proxy.bytes;
      expect(await store.leaseNotifications()).toEqual([]);
      return proxy.bytes === before;
    });
    await person.open().append({ ...message, notify: "later" });
    await until("a word", () => woken === 1);
    expect(await store.leaseNotifications()).toMatchObject([{ count: 1 }]);
    await server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'relay_' AND query ~* '^listen'",
    );
    await until("a look without words", () => woken === 2);
  });

  test("rows that another program keeps locked are not written, and the error says so", async () => {
    await using person = makePerson();
    const store = person.open({ timeoutMs: 300 });
    await store.append(message);
    await using other = connect(person.url, {});
    await other.begin(async (sql) => {
      await sql`SELECT FROM relay.mailboxes FOR UPDATE`;
      await expect(store.append(message)).rejects.toThrow("keeps your rows locked for another program");
    });
    expect((await store.counts()).total).toBe(1);
  });

  test("what nobody waits for prepares no database", async () => {
    const database = await server.database();
    const store = makePerson().open({ url: database, timeoutMs: 170 });
    await expect(store.counts()).rejects.toMatchObject({ kind: "buffer" });
    expect(await server.query("SELECT FROM pg_namespace WHERE nspname = 'relay'", database.database)).toEqual([]);
  });

  test("a move of the waiting messages that fails goes on where it was", async () => {
    await using person = makePerson();
    await using other = makePerson();
    const [from, to] = [person.open(), other.open()];
    for (const text of numbers(1, 4)) await from.append({ ...message, message: text });
    let left = 2;
    const failing = {
      append: (...args: Parameters<Store["append"]>) => {
        left -= 1;
        return left < 0 ? Promise.reject(new Error("away")) : to.append(...args);
      },
    } as Store;
    await expect(moveWaiting(from, failing)).rejects.toThrow("away");
    expect(await moveWaiting(from, to)).toBe(2);
    expect(texts((await to.lease(request())).page.messages)).toEqual(numbers(1, 4));
  });

  test("time is the server's, whatever the clock of a machine says", async () => {
    await using person = makePerson();
    const skewed = (hours: number) => ({ ...systemClock, now: () => Date.now() + hours * 3_600_000 });
    const [one, two] = [person.open({ clock: skewed(-1) }), person.open({ clock: skewed(1) })];
    await one.append(message);
    const { page } = await one.lease(request());
    expect(Date.parse(page.messages[0]?.timestamp ?? "") - Date.now()).toBeLessThan(60_000);
    expect(await two.lease(request())).toMatchObject({ page: { inFlight: 1 }, lease: null });
  });

  test("a message of many people is found by an index, whatever is asked", async () => {
    await using person = makePerson();
    const [one, two] = [person.open(), person.open({ server: 1 })];
    await server.query(
      `INSERT INTO relay.mailboxes (owner, last_id) SELECT 'other' || n, 20 FROM generate_series(1, 2000) AS n;
       INSERT INTO relay.messages (owner, id, key, reader, message, bytes, created_at, left_at)
         SELECT 'other' || n, id, gen_random_uuid(), 'code', 'text', 4, now(), CASE WHEN id < 10 THEN now() END
         FROM generate_series(1, 2000) AS n, generate_series(1, 20) AS id;
       INSERT INTO relay.dropped (owner, message_id, reader)
         SELECT 'other' || n, id, 'code' FROM generate_series(1, 2000) AS n, generate_series(1, 5) AS id;
       ANALYZE`,
      url.database,
    );
    const scans = async () => {
      await server.query("SELECT pg_stat_force_next_flush()", url.database);
      const text =
        "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname IN ('mailboxes', 'messages', 'dropped') ORDER BY 1";
      return server.query(text, url.database);
    };
    const before = await scans();
    for (const _ of numbers(1, 25)) await one.append({ ...message, notify: "later" });
    await two.leaseNotifications();
    const { lease } = await one.lease(request({ includeRead: true, project: "web" }));
    if (lease) for (const step of ["renew", "ack", "undeliver"] as const) await one[step](lease);
    await one.lastPage("code", null);
    await one.find([1, 2]);
    await one.log({ limit: 5, search: "x" });
    await one.counts();
    await one.clear("code");
    one.close();
    two.close();
    expect(await scans()).toEqual(before);
  });
});
