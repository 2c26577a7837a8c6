// A buffer file with noise in it, or with values that no relay writes: one sentence or a right answer, and no message
// changes.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { systemClock } from "../src/core/clock.ts";
import { SqliteStore } from "../src/store/sqlite-store.ts";
import { integrityOf, overwrite, readableRows } from "./support/damage.ts";
import { openPatiently } from "./support/database.ts";
import { type Outcome, type Sandbox, sandbox } from "./support/sandbox.ts";

// As many as half a minute allows on a busy machine; DAMAGES=5000 looks further.
const damages = Number(Bun.env.DAMAGES ?? 20);

const scratch = mkdtempSync(join(tmpdir(), "relay-fuzz-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A used buffer: read and unread messages of all sizes, dropped ones, one in flight, a preference and a ticket. */
const used = await (async () => {
  const path = join(scratch, "used.db");
  const store = new SqliteStore({
    locate: () => path,
    clock: systemClock,
    isRunning: () => true,
    server: 7,
  });
  const send = async (sender: "desktop" | "code", lengths: number[]) => {
    for (const length of lengths) await store.append({ sender, message: "é".repeat(length), notify: "later" });
  };
  const request = { limit: 1, includeRead: false, size: "tool", origin: "approved tool", project: "x" } as const;
  await send("desktop", [1, 4_000]);
  await store.clear("command line");
  await send("desktop", [3, 9_000, 5, 300, 2_000]);
  await send("code", [4, 700]);
  const { lease } = await store.lease({ reader: "code", ...request });
  if (lease) await store.ack(lease);
  await store.lease({ reader: "desktop", ...request });
  await store.prefer("code", { notify: true, sound: "bell" });
  await store.issueTicket({ id: "session", process: 7, project: null }, { words: "again", ids: [1] });
  store.close();
  return new Uint8Array(readFileSync(path)); // of a Buffer, slice would be no copy
})();

const commands = [
  ["status", "--json"],
  ["get", "--for", "code", "--peek", "--limit", "20"],
  ["get", "--for", "desktop", "--all", "--json"],
  ["send", "--to", "code", "--json", "another"],
  ["statusline"],
  ["doctor", "--json"],
  ["get", "--for", "code", "--limit", "20"],
];

function expectSense(args: string[], { status, stdout, stderr }: Outcome): void {
  const [verb] = args;
  // a page may be out before it turns out that it cannot be acked; then it is offered again
  const isCutOff = verb === "get" && /^(relay: \d|\{"messages":)/.test(stdout);
  const problems = verb === "doctor" ? 1 : 4;
  expect([args, status]).toEqual([args, status === 0 ? 0 : problems]);
  expect([args, stderr]).toEqual([args, status === 0 ? "" : expect.stringMatching(/^[^\n]+\n$/)]);
  if (status !== 0 && verb !== "doctor" && !isCutOff) expect([args, stdout]).toEqual([args, ""]);
  expect(stderr).not.toMatch(/\bat \S+:\d|undefined|\[object|Error:/);
}

/** Does what a person might do with the file, and then repairs it. */
async function judge(box: Sandbox, what: string): Promise<void> {
  const before = textsIn(box.buffer);
  for (const args of commands) expectSense([...args, what], await box.relay(args));
  const now = textsIn(box.buffer);
  for (const [id, text] of before) expect([what, id, now.get(id) ?? text]).toEqual([what, id, text]);

  const repaired = await box.relay(["doctor", "--repair", "--json"]);
  expect([what, repaired]).toEqual([what, expect.objectContaining({ status: 0, stderr: "" })]);
  expect([what, integrityOf(box.buffer)]).toEqual([what, "ok"]);
  const after = textsIn(box.buffer);
  for (const [id, text] of now) expect([what, id, after.get(id)]).toEqual([what, id, text]);
  if (JSON.parse(repaired.stdout).state === "sound") return; // noise in a table's definition is no damage to SQLite
  expect((await box.relay(["send", "--to", "code", "next"])).status).toBe(0);
  expect((await box.relay(["get", "--for", "code", "--peek", "--limit", "20"])).stdout).toContain("next");
}

/** The texts that SQLite reads, by their ids. */
function textsIn(path: string): Map<number, string> {
  try {
    return new Map(readableRows(path).map(({ id, message }) => [id, message]));
  } catch {
    return new Map(); // the header is destroyed
  }
}

// fast-check prefers small numbers, and so would look at the first bytes only
const anywhere = fc.noBias(fc.nat(used.length - 1));
const noise = fc.record({
  at: fc.oneof({ weight: 4, arbitrary: anywhere }, { weight: 1, arbitrary: fc.nat(4_095) }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 512 }),
});

const column = fc.constantFrom(
  ...["sender", "timestamp", "read_by_desktop_at", "read_by_code_at", "lease_id", "leased_at", "redelivered"],
  ...["notified_at", "notification_lease", "notification_leased_at", "notification_attempts", "typed_in"],
);
const value = fc.constantFrom(
  ...["NULL", "''", "0", "-1", "1e308", "9223372036854775807", "X'00ff80'", "CAST(X'fffe' AS TEXT)"],
  ...["char(0)", "'desktop'", "zeroblob(70000)", "'2026-11-25T00:00:00.000Z'"],
);

type Damage = { what: string; apply(path: string): void };

const noises = fc.array(noise, { minLength: 1, maxLength: 3 }).map(
  (blocks): Damage => ({
    what: JSON.stringify(blocks.map(({ at, bytes }) => [at, bytes.length])),
    apply(path) {
      for (const { at, bytes } of blocks) overwrite(path, at, bytes);
    },
  }),
);
const strangeValues = fc.array(fc.tuple(column, value, fc.nat(7)), { minLength: 1, maxLength: 3 }).map(
  (changes): Damage => ({
    what: JSON.stringify(changes),
    apply(path) {
      using db = openPatiently(path);
      for (const [name, sql, row] of changes) {
        const which = `(SELECT id FROM messages LIMIT 1 OFFSET ${row})`;
        db.run(`UPDATE OR IGNORE messages SET ${name} = ${sql} WHERE id = ${which}`);
      }
    },
  }),
);

test.each([
  ["noise anywhere in the file", noises],
  ["values that no relay writes", strangeValues],
])(
  "%s",
  async (_name, damage) => {
    await using box = sandbox();
    await fc.assert(
      fc.asyncProperty(damage, async ({ what, apply }) => {
        rmSync(`${box.buffer}-journal`, { force: true });
        writeFileSync(box.buffer, used, { mode: 0o600 });
        apply(box.buffer);
        await judge(box, what);
      }),
      { numRuns: damages, endOnFailure: true },
    );
  },
  damages * 30_000,
);
