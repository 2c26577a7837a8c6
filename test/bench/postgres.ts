import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { type DatabaseUrl, parseDatabaseUrl } from "../../src/core/database-url.ts";
import type { PageRequest } from "../../src/core/leased-page.ts";
import { connect } from "../../src/store/postgres/postgres-connection.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { converse } from "./conversation.ts";
import type { Lab } from "./lab.ts";
import { interleave, timed } from "./samples.ts";
import { type Row, timedRow } from "./table.ts";

const message = "a message of a hundred bytes".padEnd(100, ".");

/** What a database costs, compared with its own bare insert, and with the file. */
export async function postgres(lab: Lab): Promise<Row[]> {
  if (!hasPostgres) return [];
  await using server = await startPostgres({ max_connections: "200" });
  const url = await server.database();
  const text = `postgres://admin@127.0.0.1:${server.port}/${url.database}`;
  return [...(await calls(lab, text)), ...(await mailboxes(lab, server)), ...(await throughput(server))];
}

/** What the store costs by itself, and what tools and commands cost, beside the same over the file. */
async function calls(lab: Lab, text: string): Promise<Row[]> {
  const [box, file] = [lab.home(), lab.home()];
  const connected = await box.relay(["connect", text]);
  if (connected.status !== 0) throw new Error(connected.stderr);
  const [code, fileCode] = [await converse(box, "code"), await converse(file, "code")];
  const [desktop, fileDesktop] = [await converse(box, "desktop"), await converse(file, "desktop")];
  const url = parseDatabaseUrl(text, "admin");
  const [store, insert] = [storeOf(url), bareInsert(url)];
  await insert.prepare();
  const request: PageRequest = {
    reader: "code",
    limit: 5,
    includeRead: false,
    size: "tool",
    origin: "tool",
    project: null,
  };
  const samples = await interleave(2 * lab.rounds, {
    insert: () => timed(insert.run),
    append: () => timed(() => store.append({ sender: "desktop", message, notify: "never" })),
    lease: async () => {
      const start = performance.now();
      const { lease } = await store.lease(request);
      const took = performance.now() - start;
      if (lease) await store.ack(lease);
      return took;
    },
    send: () => timed(() => code.call("relay_send", { message })),
    fileSend: () => timed(() => fileCode.call("relay_send", { message })),
    fetch: () => timed(() => desktop.call("relay_fetch", { limit: 5 })),
    fileFetch: () => timed(() => fileDesktop.call("relay_fetch", { limit: 5 })),
    status: () => timed(() => box.relay(["status"])),
    fileStatus: () => timed(() => file.relay(["status"])),
  });
  insert.close();
  store.close();
  const floor = { name: "bare INSERT … COMMIT", samples: samples.insert };
  const overFile = (samples: readonly number[]) => ({ name: "over the file", samples });
  return [
    timedRow("a send in PostgreSQL", samples.append, floor, 1.5),
    timedRow("a page in PostgreSQL", samples.lease, floor, 2),
    timedRow("relay_send, PostgreSQL", samples.send, overFile(samples.fileSend)),
    timedRow("relay_fetch, PostgreSQL", samples.fetch, overFile(samples.fileFetch)),
    timedRow("relay status, PostgreSQL", samples.status, overFile(samples.fileStatus), 4),
  ];
}

/** A send among 1, 100 and 10,000 people, with the same number of messages in all. */
async function mailboxes(lab: Lab, server: PostgresServer): Promise<Row[]> {
  const counts = [1, 100, 10_000];
  const stores: PostgresStore[] = [];
  for (const count of counts) {
    const url = await server.database();
    const store = storeOf(url);
    stores.push(store);
    await store.append({ sender: "desktop", message, notify: "never" });
    await server.query(
      `INSERT INTO relay.mailboxes (owner, last_id) SELECT 'p' || n, 20 FROM generate_series(1, ${count}) AS n;
       INSERT INTO relay.messages (owner, id, key, reader, message, bytes, created_at, left_at)
         SELECT 'p' || n, id, gen_random_uuid(), 'code', '${message}', 100, now(), CASE WHEN id <= ${200_000 / count - 20} THEN now() END
         FROM generate_series(1, ${count}) AS n, generate_series(1, ${200_000 / count}) AS id;
       ANALYZE`,
      url.database,
    );
  }
  const takers = counts.map((count, index) => {
    const store = stores[index];
    return [`${count}`, () => timed(() => store?.append({ sender: "desktop", message, notify: "never" }))] as const;
  });
  const samples = await interleave(2 * lab.rounds, Object.fromEntries(takers));
  for (const store of stores) store.close();
  const floor = { name: "with 1 mailbox", samples: samples["1"] ?? [] };
  return [100, 10_000].map((count) => timedRow(`a send, ${count} mailboxes`, samples[count] ?? [], floor, 1.3));
}

/** Messages a second of 64 people at once, in milliseconds of the server for each message. The floor is pgbench's. */
async function throughput(server: PostgresServer): Promise<Row[]> {
  const people = 64;
  const each = 50;
  const url = await server.database();
  const insert = bareInsert(url);
  await insert.prepare();
  insert.close();
  await storeOf(url).append({ sender: "desktop", message, notify: "never" });
  await server.query(
    `DO $$ BEGIN FOR n IN 1..${people} LOOP EXECUTE format('CREATE ROLE bench%s LOGIN', n); END LOOP; END $$`,
  );
  const stores = Array.from({ length: people }, (_, index) => storeOf({ ...url, user: `bench${index + 1}` }));
  const together = (count: number) =>
    Promise.all(
      stores.map(async (store) => {
        for (let sent = 0; sent < count; sent++) await store.append({ sender: "desktop", message, notify: "never" });
      }),
    );
  await together(1); // connects
  const took = await timed(() => together(each));
  for (const store of stores) store.close();
  const script = join(server.folder, "insert.sql");
  writeFileSync(script, `INSERT INTO plain (sender, message, at) VALUES ('code', '${message}', now());`);
  const place = ["-h", server.folder, "-p", `${server.port}`, "-U", "admin"];
  const load = ["-n", "-M", "simple", "-c", `${people}`, "-t", `${each}`, "-f", script];
  const bench = Bun.spawnSync([server.program("pgbench"), ...place, ...load, url.database]);
  const perSecond = Number(/^tps = ([\d.]+)/m.exec(bench.stdout.toString())?.[1]);
  return [
    {
      measure: "a send of 64 at once",
      value: took / (people * each),
      unit: "ms",
      floor: { name: "pgbench's insert of 64 at once", value: 1_000 / perSecond },
    },
  ];
}

function storeOf(url: DatabaseUrl): PostgresStore {
  return new PostgresStore({ url, clock: systemClock, machine: () => "bench", isRunning: () => true });
}

function bareInsert(url: DatabaseUrl) {
  const sql = connect(url, { prepare: true });
  return {
    prepare: () => sql`CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sender text NOT NULL,
      message text NOT NULL, at timestamptz NOT NULL)`,
    run: async () => void (await sql`INSERT INTO plain (sender, message, at) VALUES ('code', ${message}, now())`),
    close: () => sql.close({ timeout: 0 }),
  };
}
