// A buffer file that is damaged anywhere: one sentence or a right answer, and what can still be read stays.
import { expect, test } from "bun:test";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type Client, clients } from "../src/core/client.ts";
import { openPatiently } from "./support/database.ts";
import { type Gotten, get, type Outcome, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";

const pageSize = 4_096;

// What one page holds of messages: design.md, "Words".
const pageBytes = 65_536;

// As many as a minute allows on a busy machine; DAMAGES=5000 looks further.
const damages = Number(Bun.env.DAMAGES ?? 60);

/** A change of the file's bytes. */
interface Damage {
  what: string;
  apply(bytes: Uint8Array): Uint8Array;
}

function change(what: string, edit: (bytes: Uint8Array) => void): Damage {
  return {
    what,
    apply(bytes) {
      const copy = bytes.slice();
      edit(copy);
      return copy;
    },
  };
}

// fast-check prefers small numbers, and so would look at the first bytes only
const places = 1_000_000;
const anywhere = fc.noBias(fc.nat(places - 1));

/** One to four bits, somewhere from `from` up to `to` of the file. */
function bitFlips(where: string, from: number, to: number): fc.Arbitrary<Damage> {
  const bit = fc.tuple(anywhere, fc.nat(7));
  return fc.array(bit, { minLength: 1, maxLength: 4 }).map((bits) => {
    return change(`bits in ${where}: ${JSON.stringify(bits)}`, (bytes) => {
      const end = Math.min(to, bytes.length);
      for (const [place, number] of bits) {
        const at = from + Math.floor((place / places) * (end - from));
        bytes[at] = (bytes[at] ?? 0) ^ (1 << number);
      }
    });
  });
}

const whole = Number.POSITIVE_INFINITY;
const damage = fc.oneof(
  bitFlips("the header", 0, 100),
  bitFlips("the schema", 100, pageSize),
  bitFlips("the pages", pageSize, whole),
  bitFlips("the rows", pageSize, 2 * pageSize),
  anywhere.map((place) => ({
    what: `cut off after ${place} millionths`,
    apply: (bytes: Uint8Array) => bytes.slice(0, Math.floor((bytes.length * place) / places)),
  })),
  fc.tuple(anywhere, fc.constantFrom(0, 0xff)).map(([page, byte]) =>
    change(`page ${page} is all ${byte}`, (bytes) => {
      const at = (page % (bytes.length / pageSize)) * pageSize;
      bytes.fill(byte, at, at + pageSize);
    }),
  ),
  fc.tuple(anywhere, anywhere).map(([from, to]) =>
    change(`page ${from} is where page ${to} was`, (bytes) => {
      const pages = bytes.length / pageSize;
      const start = (from % pages) * pageSize;
      bytes.copyWithin((to % pages) * pageSize, start, start + pageSize);
    }),
  ),
);

const columns = [
  ...["id", "sender", "message", "timestamp", "read_by_desktop_at", "read_by_code_at", "claim", "claimed_at"],
  ...["maybe_shown", "notified_at", "notify_lease", "notify_claimed_at", "notify_tries"],
].map((column) => ["messages", column] as const);
const otherColumns = [
  ...["audience", "message_id", "sender", "cleared_by", "claim", "claimed_at"].map((column) => [
    "relay_losses",
    column,
  ]),
  ...["notify", "sound", "leased_at"].map((column) => ["relay_readers", column]),
  ...["session", "process", "words", "minted_at"].map((column) => ["relay_tickets", column]),
] as [string, string][];
const value = fc.constantFrom(
  ...[
    "NULL",
    "''",
    "'x'",
    "0",
    "-1",
    "7",
    "1e308",
    "-9e999",
    "9223372036854775807",
    "X''",
    "X'00ff80'",
    "'1'",
  ],
  ...["CAST(X'fffe' AS TEXT)", "char(0)", "'desktop'", "zeroblob(70000)", "'2026-11-25T00:00:00.000Z'"],
);

/** What some other program may have written into a row, as far as the table takes it. */
const strange = fc.tuple(fc.constantFrom(...columns, ...otherColumns), value, fc.nat(5));

type Row = Record<string, unknown>;

/** What another program can still read of the messages, each by itself. */
function readable(path: string): Map<number, Row> {
  const rows = new Map<number, Row>();
  try {
    using db = openPatiently(path, { readonly: true });
    const query = db.query<Row, [number]>("SELECT * FROM messages WHERE id = ?");
    for (let id = 1; id <= 30; id++) {
      try {
        const row = query.get(id);
        if (row) rows.set(id, row);
      } catch {} // this one is lost
    }
  } catch {} // all of them are
  return rows;
}

function expectSentence(what: string, { status, stdout, stderr }: Outcome): void {
  expect([what, status === 0 || status === 4, status]).toEqual([what, true, status]);
  if (status === 0) {
    expect([what, stderr]).toEqual([what, ""]);
    return;
  }
  // a page may be out before it turns out that it cannot be marked; then it is offered again
  const isPage = what.endsWith(": relay get") && /^(relay: \d|\{"messages":)/.test(stdout);
  expect([what, isPage ? "" : stdout, stderr]).toEqual([
    what,
    "",
    expect.stringMatching(/^(relay: |\{"ok":false,)[^\n]+\n$/),
  ]);
  expect(stderr).not.toMatch(/\bat \S+:\d|undefined|\[object|Error:/);
}

/** The ids of the messages that a page shows, whether it is JSON or for people. */
function shownOn(page: string): number[] {
  if (page.startsWith("{")) return (JSON.parse(page) as Gotten).messages.map(({ id }) => id);
  return [...page.matchAll(/^--- \w+ message (-?\d+), /gm)].map(([, id]) => Number(id));
}

/** A page has on it whatever waits for Code and can be read, if it is said to be all, or if all of it fits. */
function expectComplete(what: string, page: string, rows: Map<number, Row>): void {
  const { messages, remaining }: Gotten = JSON.parse(page);
  const bytes = [...rows.values()].reduce((sum, { message }) => sum + new Blob([message as string]).size, 0);
  if (remaining > 0 && bytes > pageBytes) return;
  const waiting = [...rows.values()].filter(
    ({ sender, read_by_code_at, claimed_at, message }) =>
      sender === "desktop" && read_by_code_at === null && claimed_at === null && typeof message === "string",
  );
  const shown = new Map(messages.map(({ id, message }) => [id, message]));
  const missing = waiting.filter(
    ({ id, message }) => shown.get(id as number) !== String(message).toWellFormed(),
  );
  expect([what, missing.map(({ id }) => id)]).toEqual([what, []]);
}

/**
 * Whether one page of the file belongs to two things: whoever writes the one destroys the other. SQLite finds that out
 * only by reading the whole file, which no command does that a person waits for.
 */
function hasSharedPage(path: string): boolean {
  try {
    using db = openPatiently(path, { readonly: true });
    return JSON.stringify(db.query("PRAGMA integrity_check").all()).includes("2nd reference to page");
  } catch {
    return false; // nothing of it can be written, either
  }
}

/** Everything that a person or a model might have done with this file, and what came of it. */
async function expectSense(box: Sandbox, what: string): Promise<void> {
  const before = readable(box.buffer);
  const isShared = hasSharedPage(box.buffer);
  const kept = new Map([...before].map(([id, { message }]) => [id, message]));
  const shown = { desktop: [] as number[], code: [] as number[] };
  for (const args of commands) {
    const outcome = await box.relay(args);
    const { status, stdout } = outcome;
    expectSentence(`${what}: relay ${args[0]}`, outcome);
    if (args[0] === "send" && status === 0) kept.set(JSON.parse(stdout).id, "another");
    if (args[0] !== "get") continue;
    if (args.includes("--peek")) {
      if (status === 0) expectComplete(what, stdout, before);
    } else shown[args[2] as Client].push(...shownOn(stdout));
  }
  const after = readable(box.buffer);
  const lost = [...kept].filter(([id, text]) => !Bun.deepEquals(after.get(id)?.message, text));
  if (!isShared) expect([what, ...lost]).toEqual([what]);
  for (const client of clients) {
    const column = `read_by_${client}_at`;
    const marked = [...after].filter(
      ([id, row]) => (row[column] ?? null) !== null && (before.get(id)?.[column] ?? null) === null,
    );
    const unseen = marked.map(([id]) => id).filter((id) => !shown[client].includes(id));
    expect([what, client, ...unseen]).toEqual([what, client]);
  }
}

/** A used buffer: read and unread messages, long ones, losses, a page on its way. */
async function usedBuffer(box: Sandbox): Promise<string> {
  await sendAll(box, "code", ["read", "x".repeat(9_000), "short", "é".repeat(3_000)]);
  await get(box, "code");
  await box.relay(["clear", "--yes"]);
  await sendAll(box, "code", ["one", "x".repeat(20_000), "three"]);
  await sendAll(box, "desktop", ["four", "five"]);
  await box.relay(["get", "--for", "desktop", "--limit", "1"]);
  using db = openPatiently(box.buffer);
  db.run(
    "INSERT INTO relay_readers (client, notify, sound) VALUES ('code', 1, 'Ping'), ('desktop', 0, 'off')",
  );
  db.run("INSERT INTO relay_tickets VALUES ('session', 7, 'words', ?)", [Date.now()]);
  renameSync(box.buffer, join(box.home, "sound"));
  return join(box.home, "sound");
}

const commands = [
  ["status", "--json"],
  ["get", "--for", "code", "--peek", "--json", "--limit", "20"],
  ["get", "--for", "desktop", "--all", "--json"],
  ["send", "--to", "code", "--json", "another"],
  ["get", "--for", "code", "--limit", "20"],
  ["statusline"],
];

test(
  "damage anywhere in the file",
  async () => {
    await using box = sandbox();
    const sound = new Uint8Array(readFileSync(await usedBuffer(box))); // of a Buffer, slice would be no copy
    await fc.assert(
      fc.asyncProperty(damage, async ({ what, apply }) => {
        for (const path of [box.buffer, `${box.buffer}-journal`]) rmSync(path, { force: true });
        writeFileSync(box.buffer, apply(sound), { mode: 0o600 });
        await expectSense(box, what);
      }),
      { numRuns: damages, endOnFailure: true },
    );
  },
  damages * 30_000,
);

test(
  "what no program of ours would write into a row",
  async () => {
    await using box = sandbox();
    const sound = new Uint8Array(readFileSync(await usedBuffer(box))); // of a Buffer, slice would be no copy
    await fc.assert(
      fc.asyncProperty(fc.array(strange, { minLength: 1, maxLength: 3 }), async (changes) => {
        rmSync(`${box.buffer}-journal`, { force: true });
        writeFileSync(box.buffer, sound, { mode: 0o600 });
        for (const [[table, column], text, row] of changes) overwrite(box.buffer, table, column, text, row);
        await expectSense(box, JSON.stringify(changes));
      }),
      { numRuns: damages, endOnFailure: true },
    );
  },
  damages * 30_000,
);

/** Writes a value into the row of this number, counted from 0, unless the table forbids it. */
function overwrite(path: string, table: string, column: string, text: string, row: number): void {
  using db = openPatiently(path, { readwrite: true, create: false });
  try {
    db.run(
      `UPDATE ${table} SET ${column} = ${text} WHERE rowid = (SELECT rowid FROM ${table} LIMIT 1 OFFSET ${row})`,
    );
  } catch {}
}
