// Random histories of a buffer, in the hands of two processes, against the specification told over plain lists.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type Client, clients } from "../src/core/client.ts";
import { timestamp } from "../src/core/clock.ts";
import {
  type Announce,
  type Buffer,
  type Claimed,
  type CodeSession,
  type Delivery,
  type Loss,
  type PageRequest,
  readBy,
  type Wish,
} from "../src/core/store.ts";
import { sqliteBuffer } from "../src/store/sqlite-store.ts";
import { type Given, Ledger } from "./support/ledger.ts";
import { ReferenceBuffer } from "./support/reference.ts";
import { sandbox } from "./support/sandbox.ts";

// As many as a minute allows on a busy machine; HISTORIES=2000 looks further.
const histories = Number(Bun.env.HISTORIES ?? 50);

/** What a process gave to somebody, and what became of it. */
interface Parcel extends Given {
  state: "claimed" | "begun" | "delivered" | "done";
  delivery: Delivery;
  buffer: Buffer;
  /** The file that it was found in is not there any more. */
  isStray: boolean;
}

/** The file as two processes have it, and what they were given so far. */
interface Real {
  path: string;
  buffers: Buffer[];
  clock: { time: number };
  parcels: Parcel[];
  ledger: Ledger;
  leases: string[];
  names: number;
}

type Run = (model: ReferenceBuffer, real: Real, buffer: Buffer) => Promise<void>;

/** What one of the two processes does; afterwards the other one finds everything as it should be. */
function step<T>(
  label: string,
  args: fc.Arbitrary<T>,
  run: (args: T, ...of: Parameters<Run>) => Promise<void>,
) {
  return fc.tuple(fc.nat(1), args).map(
    ([who, chosen]): fc.AsyncCommand<ReferenceBuffer, Real> => ({
      check: () => true,
      toString: () => `${label}(${fc.stringify(chosen).slice(0, 80)}) by ${who}`,
      async run(model, real) {
        await run(chosen, model, real, real.buffers[who] as Buffer);
        await expectSame(model, real.buffers[1 - who] as Buffer);
      },
    }),
  );
}

async function expectSame(model: ReferenceBuffer, buffer: Buffer): Promise<void> {
  for (const reader of clients) {
    for (const includeRead of [false, true]) {
      const request = { reader, limit: 20, includeRead };
      expect(plain(await buffer.peek(request))).toEqual(model.peek(request));
    }
    expect(await buffer.lastPage(reader)).toEqual(model.lastPage(reader));
  }
  expect(await buffer.latest(20)).toEqual(model.latest(20));
  expect(await buffer.counts()).toEqual(model.counts());
}

// The place of a loss in its record is nobody's business.
function plain<T extends { losses: Loss[] }>(answer: T): T {
  return {
    ...answer,
    losses: answer.losses.map(({ id, sender, cleared_by }) => ({ id, sender, cleared_by })),
  };
}

function original(real: Real, ...statements: [sql: string, ...parameters: (string | number)[]][]): void {
  using db = new Database(real.path, { readwrite: true, create: false });
  db.transaction(() => {
    for (const [sql, ...parameters] of statements) db.run(sql, parameters);
  })();
}

const client = fc.constantFrom<Client>(...clients);
const text = fc.oneof(
  { weight: 9, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constantFrom("x".repeat(65_536), "é".repeat(16_000), "x".repeat(40_000)) },
);
const limit = fc.integer({ min: 1, max: 20 });
const session = fc.constantFrom<CodeSession>(
  { id: "a", process: 1 },
  { id: "b", process: 1 },
  { id: "a", process: 2 },
);

// Mostly what was given last, now and then something older.
function recent<T>(list: readonly T[], place: number): T | undefined {
  return list.at(-1 - (place % Math.min(4, Math.max(1, list.length))));
}

function hand(real: Real, buffer: Buffer, given: Given & Claimed): void {
  const { reader, messages, file } = given;
  const delivery = { reader, ids: messages.map(({ id }) => id), readAt: "", file };
  real.parcels.push({ ...given, delivery, buffer, state: "claimed", isStray: false });
}

type Entry = { sender: Client; message: string; announce: Announce };

async function sendOne(entry: Entry, model: ReferenceBuffer, real: Real, buffer: Buffer): Promise<void> {
  const name = `claim ${++real.names}`;
  const request = { ...entry, message: entry.message.toWellFormed(), claim: name };
  const { file, ...answer } = plain(await buffer.append(request));
  expect(answer).toEqual(model.append(request));
  if (answer.lease) real.leases.push(name);
  real.ledger.sent(entry.sender, answer.id, answer.evicted);
  hand(real, buffer, { name, reader: entry.sender, messages: [], losses: answer.losses, file });
}

const entry = fc.record({
  sender: client,
  message: text,
  announce: fc.constantFrom("now", "later", "never"),
});

const send = step("send", entry, sendOne);

const sendMany = step(
  "send many",
  fc.array(entry, { minLength: 8, maxLength: 22 }),
  async (entries, ...rest) => {
    for (const one of entries) await sendOne(one, ...rest);
  },
);

const request = fc.record({ reader: client, limit, includeRead: fc.boolean() });

async function fetchOne(
  asked: PageRequest,
  model: ReferenceBuffer,
  real: Real,
  buffer: Buffer,
): Promise<void> {
  const name = `claim ${++real.names}`;
  const { file, ...page } = plain(await buffer.claim({ ...asked, claim: name }));
  expect(page).toEqual(model.claim(asked, name));
  const messages = page.messages.filter((message) => readBy(message, asked.reader) === null);
  hand(real, buffer, { name, reader: asked.reader, messages, losses: page.losses, file });
}

const fetch = step("fetch", request, fetchOne);

// What claim.ts does with a claim, step by step.
async function settleOne(
  { parcel, well }: { parcel: Parcel; well: boolean },
  model: ReferenceBuffer,
  { ledger }: Real,
): Promise<void> {
  const { name, state, delivery, losses, buffer } = parcel;
  const withdraw = async (maybeShown: boolean) => {
    await buffer.withdraw(name, maybeShown);
    model.withdraw(name, maybeShown);
    parcel.state = "done";
  };
  delivery.readAt = state === "delivered" ? delivery.readAt : timestamp(model.now);
  if (state === "claimed" && well) {
    await present(parcel, ledger, model);
    if (parcel.state === "done") await withdraw(false);
  } else if (state === "claimed") await withdraw(false);
  else if (state === "begun" && well) {
    await buffer.deliver(name, delivery);
    model.deliver(name, delivery);
    ledger.delivered(parcel);
    parcel.state = "delivered";
  } else if (state === "begun") await withdraw(true);
  else if (state === "delivered" && !well) {
    await buffer.reopen({ ...delivery, losses });
    model.reopen(delivery, losses);
    ledger.reopened(parcel);
    parcel.state = "done";
  }
}

async function present(parcel: Parcel, ledger: Ledger, model: ReferenceBuffer): Promise<void> {
  const { name, delivery, buffer } = parcel;
  const atOnce = parcel.messages.every(({ message }) => message.length < 10_000);
  let writes = 0;
  const write = () => {
    writes += 1;
    return atOnce;
  };
  const fate = await buffer.present(name, delivery, write);
  expect(fate).toBe(model.present(name, delivery, atOnce));
  expect(writes).toBe(fate === "taken" ? 0 : 1);
  if (writes > 0) ledger.begun(parcel);
  if (fate === "delivered") ledger.delivered(parcel);
  parcel.state = fate === "taken" ? "done" : fate;
}

// It is shown all the same, and the file that is there now does not know of it.
async function settleStray(parcel: Parcel, well: boolean): Promise<void> {
  const { name, state, delivery, losses, buffer } = parcel;
  if (state === "claimed") {
    const fate = well ? "delivered" : "begun";
    expect(await buffer.present(name, delivery, () => well)).toBe(fate);
    parcel.state = fate;
  } else if (state === "begun") await buffer.deliver(name, delivery);
  else if (state === "delivered") await buffer.reopen({ ...delivery, losses });
}

const settle = step("settle", fc.tuple(fc.nat(9), fc.boolean()), async ([place, well], model, real) => {
  const parcel = recent(real.parcels, place);
  if (parcel?.isStray) await settleStray(parcel, well);
  else if (parcel) await settleOne({ parcel, well }, model, real);
});

const clear = step(
  "clear",
  fc.constantFrom("desktop", "code", "command line", "unknown" as const),
  async (by, model, real, buffer) => {
    expect(await buffer.clear(by)).toEqual(model.clear(by));
    real.ledger.cleared(by);
  },
);

const wait = step(
  "wait",
  fc.constantFrom(1, 900, 1_999, 2_000, 4_999, 5_000, 19_999, 20_000, 30_000, -1, -10_000),
  async (milliseconds, model, real) => {
    model.wait(milliseconds);
    real.clock.time = model.now;
  },
);

const wish = step(
  "wish",
  fc.record({ who: client, notify: fc.boolean(), sound: fc.constantFrom("default", "off", "Ping") }),
  async ({ who, ...wanted }: { who: Client } & Wish, model, _real, buffer) => {
    await buffer.wish(who, wanted);
    model.wish(who, wanted);
  },
);

const lease = step("lease", fc.boolean(), async (early, model, real, buffer) => {
  const leases = await buffer.lease({ early });
  const names = Object.fromEntries(leases.map(({ reader, name }) => [reader, name]));
  expect(leases).toEqual(model.lease(early, { desktop: "none", code: "none", ...names }));
  real.leases.push(...leases.map(({ name }) => name));
});

const announce = step(
  "announce",
  fc.tuple(fc.nat(9), fc.boolean()),
  async ([place, shown], model, real, buffer) => {
    const name = recent(real.leases, place);
    if (name === undefined) return;
    await (shown ? buffer.announced(name) : buffer.unannounced(name));
    if (shown) model.announced(name);
    else model.unannounced(name);
  },
);

const mint = step("mint", fc.tuple(session, text), async ([whose, words], model, _real, buffer) => {
  await buffer.mint(whose, words.toWellFormed());
  model.mint(whose, words.toWellFormed());
});

const redeem = step("redeem", session, async (whose, model, _real, buffer) =>
  expect(await buffer.redeem(whose)).toBe(model.redeem(whose)),
);

const originalSend = step("the original sends", client, async (sender, model, real, buffer) => {
  await buffer.mint({ id: "original", process: 1 }, ""); // makes the file
  original(
    real,
    ["INSERT INTO messages (sender, message, timestamp) VALUES (?, 'py', ?)", sender, timestamp(model.now)],
    ["DELETE FROM messages WHERE id NOT IN (SELECT id FROM messages ORDER BY id DESC LIMIT 20)"],
  );
  model.originalSend(sender, "py");
  real.ledger.sent(sender, model.lastId);
});

const originalFetch = step(
  "the original fetches",
  fc.tuple(client, limit),
  async ([reader, most], model, real, buffer) => {
    await buffer.mint({ id: "original", process: 1 }, "");
    const column = `read_by_${reader}_at`;
    original(real, [
      `UPDATE messages SET ${column} = ? WHERE id IN
       (SELECT id FROM messages WHERE ${column} IS NULL ORDER BY id DESC LIMIT ?)`,
      timestamp(model.now),
      most,
    ]);
    real.ledger.readElsewhere(reader, model.originalFetch(reader, most));
  },
);

const replace = step("the file is removed", fc.constant(null), async (_args, model, real) => {
  // and not put away for good, so that the system does not give its number to the next one
  if (existsSync(real.path)) renameSync(real.path, `${real.path}-gone`);
  model.replace();
  for (const parcel of real.parcels) parcel.isStray = true;
  real.ledger.reset();
});

const close = step("close", fc.constant(null), async (_args, _model, _real, buffer) => buffer.close());

const weighted = [
  ...Array(6).fill(send),
  ...Array(2).fill(sendMany),
  ...Array(4).fill(fetch),
  ...Array(5).fill(settle),
  ...Array(3).fill(wait),
  ...Array(3).fill(lease),
  ...Array(2).fill(announce),
  ...[clear, wish, mint, redeem, originalSend, originalFetch, replace, close],
];

/** Both readers get what waits, when no claim stands any more. */
async function readEverything(model: ReferenceBuffer, real: Real): Promise<void> {
  model.wait(60_000); // the clock may have been set back
  real.clock.time = model.now;
  const [buffer] = real.buffers as [Buffer];
  for (const reader of clients) {
    for (;;) {
      await fetchOne({ reader, limit: 20, includeRead: false }, model, real, buffer);
      const parcel = real.parcels.at(-1) as Parcel;
      if (parcel.messages.length + parcel.losses.length === 0) break;
      while (parcel.state !== "delivered") await settleOne({ parcel, well: true }, model, real);
    }
  }
}

test(
  "whatever happens in whatever order, the buffer answers as specified, and every message arrives or is told as lost",
  async () => {
    await using box = sandbox();
    let files = 0;
    await fc.assert(
      fc.asyncProperty(fc.commands(weighted, { maxCommands: 100, size: "max" }), async (steps) => {
        const model = new ReferenceBuffer();
        const clock = { time: model.now, now: () => clock.time, elapsed: () => performance.now() };
        const path = join(box.home, `${++files}.db`);
        const buffers = [0, 1].map(() => sqliteBuffer(() => path, clock));
        const real = { path, buffers, clock, parcels: [], ledger: new Ledger(), leases: [], names: 0 };
        try {
          await fc.asyncModelRun(() => ({ model, real }), steps);
          await readEverything(model, real);
          expect(real.ledger.missing()).toEqual([]);
        } finally {
          for (const buffer of buffers) buffer.close();
        }
        for (const file of [path, `${path}-gone`]) rmSync(file, { force: true });
      }),
      { numRuns: histories, endOnFailure: true },
    );
  },
  histories * 12_000,
);
