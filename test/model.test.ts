// Random histories of a buffer, in the hands of two processes and the original, against a reference over plain lists.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { NewAttachment } from "../src/core/attachment.ts";
import { type Client, clients } from "../src/core/client.ts";
import { timestamp } from "../src/core/clock.ts";
import type { Lease, Page, PageRequest } from "../src/core/leased-page.ts";
import type { NewMessage } from "../src/core/message.ts";
import type { Store } from "../src/core/store.ts";
import { SqliteStore } from "../src/store/sqlite-store.ts";
import { Ledger } from "./support/ledger.ts";
import { ReferenceStore } from "./support/reference.ts";
import { sandbox } from "./support/sandbox.ts";

// As many as half a minute allows on a busy machine; HISTORIES=2000 looks further, and shrinks what fails.
const histories = Number(Bun.env.HISTORIES ?? 20);

/** A page that a process was given, and how far it came. */
interface Given {
  store: Store;
  page: Page;
  lease: Lease;
  state: "leased" | "written" | "acked" | "finished";
}

/** The buffer as two processes have it, and what they were given so far. */
interface Real {
  path: string;
  stores: Store[];
  given: Given[];
  ledger: Ledger;
}

/** What one of the two processes does; afterwards the other one finds everything as the reference has it. */
function step<T>(
  label: string,
  args: fc.Arbitrary<T>,
  run: (args: T, model: ReferenceStore, real: Real, store: Store) => Promise<void>,
) {
  return fc.tuple(fc.nat(1), args).map(
    ([who, chosen]): fc.AsyncCommand<ReferenceStore, Real> => ({
      check: () => true,
      toString: () => `${label}(${fc.stringify(chosen).slice(0, 80)}) by ${who}`,
      async run(model, real) {
        await run(chosen, model, real, real.stores[who] as Store);
        await expectSame(model, real.stores[1 - who] as Store);
      },
    }),
  );
}

async function expectSame(model: ReferenceStore, store: Store): Promise<void> {
  for (const reader of clients) {
    for (const includeRead of [false, true]) {
      for (const project of [null, "api"]) {
        const request = { reader, limit: 20, includeRead, size: "tool", origin: "tool", project } as const;
        expect(await store.peek(request)).toEqual(model.peek(request));
      }
    }
    expect(await store.lastPage(reader, null)).toEqual(model.lastPage(reader, null));
  }
  for (const id of [model.lastId, model.lastId - 22]) expect(await store.readFiles(id)).toEqual(model.filesOf(id));
  for (const project of ["api", "API", "web"])
    expect(await store.lastPage("code", project)).toEqual(model.lastPage("code", project));
  expect(await store.log({ limit: 10_000 })).toEqual(model.log());
  expect(await store.counts()).toMatchObject(model.counts());
}

const project = fc.constantFrom(null, null, "api", "API", "web");
const asked = { origin: "tool", project: null } as const;
const client = fc.constantFrom<Client>(...clients);
const text = fc
  .oneof(
    { weight: 9, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 5 }) },
    { weight: 1, arbitrary: fc.constantFrom("x".repeat(65_536), "é".repeat(16_000), "x".repeat(40_000)) },
  )
  .map((value) => value.toWellFormed());
const contents = fc.oneof(
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 9 }) },
  { weight: 1, arbitrary: fc.constant(new Uint8Array(30_000)) },
);
const file = contents.map((content) => {
  const sha256 = new Bun.CryptoHasher("sha256").update(content).digest("hex");
  return { name: `${content.length}`, type: "text/plain", size: content.length, sha256, content };
});
const files = fc.oneof(
  { weight: 3, arbitrary: fc.constant<NewAttachment[]>([]) },
  { weight: 1, arbitrary: fc.array(file, { maxLength: 8 }) },
);
/** How far back the message is that it answers, if any; most are still somewhere. */
const answers = fc.option(fc.nat(25), { freq: 3 });
const message = fc.record({ sender: client, message: text, project, answers, files });
const limit = fc.integer({ min: 1, max: 20 });

interface Drafted extends NewMessage {
  answers: number | null;
}

async function send(messages: readonly Drafted[], model: ReferenceStore, real: Real, store: Store): Promise<void> {
  for (const { answers, ...drafted } of messages) {
    const reply_to = answers === null ? null : model.lastId - answers;
    const expected = model.append({ ...drafted, reply_to });
    const sent = store.append({ ...drafted, reply_to, notify: "never" });
    if (!expected) await expect(sent).rejects.toMatchObject({ kind: "usage" });
    if (!expected) continue;
    const { notification, seenProjects, ...receipt } = await sent;
    expect({ ...receipt, seenProjects: seenProjects?.sort() ?? null }).toEqual(expected);
    expect(notification).toBeNull();
    real.ledger.sent(drafted.sender, receipt.id, receipt.evicted);
  }
}

async function lease(request: PageRequest, model: ReferenceStore, real: Real, store: Store): Promise<Given | null> {
  const leased = await store.lease(request);
  const expected = model.lease(request, leased.lease?.id ?? "");
  expect(leased).toEqual(expected);
  if (!leased.lease) return null;
  const given: Given = { store, page: leased.page, lease: leased.lease, state: "leased" };
  real.given.push(given);
  return given;
}

/** The next thing that becomes of a page: it goes on as it should, or it does not. */
async function proceed(given: Given, well: boolean, model: ReferenceStore, ledger: Ledger): Promise<void> {
  const { store, page, lease, state } = given;
  const release = async (redelivered: boolean) => {
    await store.release(lease, redelivered);
    model.release(lease, redelivered);
    given.state = "finished";
  };
  if (state === "leased" && well) {
    const isOurs = await store.renew(lease);
    expect(isOurs).toBe(model.renew(lease));
    if (isOurs) ledger.written(page, lease.unread);
    given.state = isOurs ? "written" : "finished";
  } else if (state === "leased" || (state === "written" && !well)) await release(state === "written");
  else if (state === "written") {
    await store.ack(lease);
    model.ack(lease);
    ledger.acked(page, lease.unread);
    given.state = "acked";
  } else if (state === "acked" && !well) {
    await store.undeliver(lease);
    model.undeliver(lease);
    ledger.undelivered(lease.unread);
    given.state = "finished";
  }
}

// Mostly what was given last, now and then something older.
const pages = fc.record({ place: fc.nat(4), well: fc.boolean() });
const request = fc.record({ reader: client, limit, includeRead: fc.boolean(), project, everyProject: fc.boolean() });
const clearer = fc.constantFrom("desktop", "code", "command line", "unknown" as const);
const jump = fc.constantFrom(1, 900, 4_999, 5_000, 30_000, -1, -10_000);

const steps = [
  ...Array(6).fill(
    step(
      "send",
      message.map((one) => [one]),
      send,
    ),
  ),
  ...Array(2).fill(step("send many", fc.array(message, { minLength: 8, maxLength: 22 }), send)),
  ...Array(4).fill(
    step("lease", request, async (chosen, ...rest) => {
      await lease({ ...chosen, size: "tool", origin: "tool" }, ...rest);
    }),
  ),
  ...Array(8).fill(
    step("proceed", pages, async ({ place, well }, model, { given, ledger }) => {
      const page = given.at(-1 - place);
      if (page) await proceed(page, well, model, ledger);
    }),
  ),
  ...Array(3).fill(
    step("wait", jump, async (milliseconds, model) => {
      model.now += milliseconds;
    }),
  ),
  step("clear", clearer, async (by, model, { ledger }, store) => {
    expect(await store.clear(by)).toEqual(model.clear(by));
    ledger.cleared(by);
  }),
  step("the original sends", client, async (sender, model, real) => {
    const id = model.originalSend(sender, "py");
    original(real.path, [
      ["INSERT INTO messages (sender, message, timestamp) VALUES (?, 'py', ?)", sender, timestamp(model.now)],
      ["DELETE FROM messages WHERE id NOT IN (SELECT id FROM messages ORDER BY id DESC LIMIT 20)"],
    ]);
    real.ledger.sent(sender, id);
  }),
  step("the original fetches", fc.tuple(client, limit), async ([reader, most], model, real) => {
    const column = `read_by_${reader}_at`;
    const newest = `SELECT id FROM messages WHERE ${column} IS NULL ORDER BY id DESC LIMIT ?`;
    original(real.path, [[`UPDATE messages SET ${column} = ? WHERE id IN (${newest})`, timestamp(model.now), most]]);
    real.ledger.readElsewhere(reader, model.originalFetch(reader, most));
  }),
  step("the original clears", fc.constant(null), async (_args, model, real) => {
    model.originalClear();
    original(real.path, [["DELETE FROM messages"]]);
    real.ledger.cleared("the original");
  }),
  step("close", fc.constant(null), async (_args, _model, _real, store) => store.close()),
];

function original(path: string, statements: [sql: string, ...parameters: (string | number)[]][]): void {
  using db = new Database(path, { readwrite: true, create: false });
  db.transaction(() => {
    for (const [sql, ...parameters] of statements) db.run(sql, parameters);
  })();
}

/** Both readers get what waits, when no lease stands any more. */
async function readEverything(model: ReferenceStore, real: Real): Promise<void> {
  model.now += 60_000; // the clock may have been set back
  for (const reader of clients) {
    for (;;) {
      const request = { reader, limit: 20, includeRead: false, size: "tool", ...asked } as const;
      const given = await lease(request, model, real, real.stores[0] as Store);
      if (!given) break;
      while (given.state !== "acked") await proceed(given, true, model, real.ledger);
    }
  }
}

test(
  "whatever happens in whatever order, the store answers as specified, and every message is shown or named as dropped",
  async () => {
    await using box = sandbox();
    let made = 0;
    await fc.assert(
      fc.asyncProperty(fc.commands(steps, { maxCommands: 100, size: "max" }), async (history) => {
        const model = new ReferenceStore();
        const clock = { now: () => model.now, elapsed: () => performance.now() };
        const path = join(box.home, `${++made}.db`);
        const store = () => new SqliteStore({ locate: () => path, clock, isRunning: () => false });
        const real = { path, stores: [store(), store()], given: [], ledger: new Ledger() };
        try {
          await real.stores[0]?.issueTicket({ id: "a", process: 1, project: null }, { words: "", ids: [] }); // the original needs a file
          await fc.asyncModelRun(() => ({ model, real }), history);
          await readEverything(model, real);
          expect(real.ledger.faults()).toEqual([]);
        } finally {
          for (const each of real.stores) each.close();
          rmSync(path, { force: true });
        }
      }),
      { numRuns: histories, endOnFailure: Bun.env.HISTORIES === undefined },
    );
  },
  histories * 12_000,
);
