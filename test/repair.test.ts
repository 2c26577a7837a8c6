// `relay doctor --repair`: what can be read of a damaged buffer is kept, and nothing else is touched. design.md, "The file".
import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { systemClock } from "../src/core/clock.ts";
import type { System } from "../src/platform/system.ts";
import { parseLsof } from "../src/store/holders.ts";
import { repairBuffer } from "../src/store/repair.ts";
import { salvage } from "../src/store/salvage.ts";
import { overwrite, type Row, rootOf, rowsOf, sequenceOf, wipe } from "./support/damage.ts";
import { connectBoth, textsOf } from "./support/peer.ts";
import { get, relayBinary, type Sandbox, sandbox, sendAll, until } from "./support/sandbox.ts";

const scratch = mkdtempSync(join(tmpdir(), "relay-repair-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/**
 * A buffer with everything in it: 20 messages of all sizes (3 to 22), some read, one claimed, two evicted unread, a
 * wish, and pages of their own for the longer ones.
 */
const full = await (async () => {
  await using box = sandbox();
  const { desktop } = await connectBoth(box);
  for (let n = 1; n <= 22; n++) await desktop.send(`message ${n} ${"ä€😀".repeat(n * 60)}`);
  await box.relay(["serve", "--client", "code", "--sound", "bell"], {
    stdin: "",
    env: { RELAY_NOTIFY: "auto" },
  });
  const path = join(scratch, "full.db");
  copyFileSync(box.buffer, path);
  using db = new Database(path);
  db.run("UPDATE messages SET read_by_code_at = '2026-11-25T00:00:00Z', maybe_shown = 1 WHERE id < 6");
  db.run("UPDATE messages SET claim = 'c', claimed_at = 1795000000000 WHERE id = 6");
  return path;
})();

function place(box: Sandbox, from = full): string {
  copyFileSync(from, box.buffer);
  chmodSync(box.buffer, 0o600);
  return box.buffer;
}

/** Everything in the folder, with bytes, modes and times. */
function snapshot(folder: string) {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mode, ino, mtimeNs } = lstatSync(path, { bigint: true });
      return {
        name,
        mode,
        ino,
        mtimeNs,
        bytes: lstatSync(path).isFile() ? readFileSync(path).toString("hex") : "",
      };
    });
}

async function repair(box: Sandbox) {
  const { status, stdout, stderr } = await box.relay(["doctor", "--repair", "--json"]);
  return { status, stderr, ...(stdout ? JSON.parse(stdout) : {}) };
}

test("a sound buffer is said to be sound, and nothing is changed", async () => {
  await using box = sandbox();
  place(box);
  const before = snapshot(box.home);
  expect(await box.relay(["doctor", "--repair"])).toEqual({
    status: 0,
    stdout: `relay: the buffer ${box.buffer} is sound. Nothing was changed.\n`,
    stderr: "",
  });
  expect(snapshot(box.home)).toEqual(before);
});

test("where there is none, none is made", async () => {
  await using box = sandbox();
  expect(await repair(box)).toMatchObject({ status: 0, ok: true, state: "absent" });
  expect(readdirSync(box.home)).toEqual([]);
});

test("an empty file is a sound buffer", async () => {
  await using box = sandbox();
  writeFileSync(box.buffer, "", { mode: 0o600 });
  expect(await repair(box)).toMatchObject({ status: 0, state: "sound" });
});

const messagesRoot = rootOf(full, "messages");
const nothing = new Uint8Array(4096);

const damages: [name: string, damage: (path: string) => void][] = [
  ["the first bytes of the header", (path) => overwrite(path, 0, nothing.subarray(0, 16))],
  ["the whole header", (path) => overwrite(path, 0, nothing.subarray(0, 100))],
  ["the page size", (path) => overwrite(path, 16, Uint8Array.of(0x20, 0))],
  ["the number of the file format", (path) => overwrite(path, 18, Uint8Array.of(9, 9))],
  ["the list of free pages", (path) => overwrite(path, 32, Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 9))],
  ["the first page, with the schema", (path) => wipe(path, 1)],
  ["the first page, overwritten", (path) => wipe(path, 1, 0xa5)],
  ["the schema's statements", (path) => overwrite(path, 3000, new Uint8Array(1000).fill(0xff))],
  ["the page that leads to all messages", (path) => wipe(path, messagesRoot)],
  ["the page that leads to all messages, overwritten", (path) => wipe(path, messagesRoot, 0x05)],
  ["the table of losses", (path) => wipe(path, rootOf(path, "relay_losses"))],
  ["an index", (path) => wipe(path, rootOf(path, "sqlite_autoindex_relay_readers_1"))],
  ["the first byte of the root", (path) => overwrite(path, (messagesRoot - 1) * 4096, Uint8Array.of(0xff))],
];

describe("all messages are kept when damage hits", () => {
  test.each(damages)("%s", async (_name, damage) => {
    await using box = sandbox();
    const path = place(box);
    const before = rowsOf(path);
    damage(path);
    const damaged = readFileSync(path);

    const result = await repair(box);
    expect(result).toMatchObject({
      status: 0,
      state: "repaired",
      cut: [],
      saved: before.map(({ id }) => id),
    });
    // nobody can say whether rows in pages that nothing leads to were emptied, when the header is gone
    const certain = (rows: Row[]) => rows.map((row) => ({ ...row, maybe_shown: null }));
    expect(certain(rowsOf(path))).toEqual(certain(before));
    expect(readFileSync(result.aside).equals(damaged)).toBe(true);
    for (const name of readdirSync(box.home))
      expect([name, statSync(join(box.home, name)).mode & 0o777]).toEqual([name, 0o600]);
    expect(await repair(box)).toMatchObject({ status: 0, state: "sound" });
    expect(readdirSync(box.home).filter((name) => name.includes("repair"))).toEqual([]);
    expect((await sendAll(box, "code", ["next"]))[0]).toBeGreaterThan(22);
    expect((await get(box, "code")).messages.at(0)?.message).toStartWith("message 6 ");
  });
});

test("with the schema intact, losses, wishes, claims and read marks are kept too, and ids go on", async () => {
  await using box = sandbox();
  const path = place(box);
  const others = (from: string) => {
    using db = new Database(from, { readonly: true });
    return ["relay_losses", "relay_readers"].map((table) => db.query(`SELECT * FROM ${table}`).all());
  };
  const [rows, rest] = [rowsOf(path), others(path)];
  expect(rest.map((table) => table.length > 0)).toEqual([true, true]);
  expect(rows.filter((row) => row.read_by_code_at !== null)).toHaveLength(3);
  wipe(path, rootOf(path, "sqlite_autoindex_relay_readers_1"));
  await repair(box);
  expect(rowsOf(path)).toEqual(rows);
  expect(others(path)).toEqual(rest);
  expect(sequenceOf(path)).toBe(22);
});

test("ids are not given twice, even if nobody remembers which were given", async () => {
  await using box = sandbox();
  const path = place(box);
  wipe(path, rootOf(path, "sqlite_sequence"));
  await repair(box);
  expect((await sendAll(box, "code", ["next"]))[0]).toBeGreaterThan(1_000);

  await box.relay(["clear", "--yes"]);
  const last = sequenceOf(path);
  wipe(path, rootOf(path, "relay_losses"), 0xff);
  await repair(box);
  expect(await sendAll(box, "code", ["after a clear"])).toEqual([last + 1]);
});

test("what cannot be read whole is named, and both sides are told", async () => {
  await using box = sandbox();
  await sendAll(box, "code", ["first", "x".repeat(60_000), "last"]);
  const path = box.buffer;
  const bytes = readFileSync(path);
  // the second page of the long text; each begins with the number of the next
  const pages = Array.from({ length: bytes.length / 4096 }, (_, index) => index + 1);
  const texts = pages.filter((page) =>
    bytes.subarray((page - 1) * 4096 + 4, page * 4096).every((byte) => byte === 0x78),
  );
  for (const page of texts) overwrite(path, (page - 1) * 4096, Uint8Array.of(0xff, 0xff, 0xff, 0xff));
  const told = await box.relay(["doctor", "--repair"]);
  expect(told.stdout).toContain("\nsaved       2 messages (1, 3)\n");
  expect(told.stdout).toContain("\nnot saved   message 2 from Desktop: only its beginning can be read\n");
  const page = (await box.relay(["get", "--for", "code"])).stdout;
  expect(page).toContain("relay: 1 unread message was lost when the buffer was damaged (2).");
  expect((await box.relay(["send", "--to", "code", "again"])).stdout).toContain(
    "relay: 1 message you sent was lost when the buffer was damaged (2).",
  );
});

test("a page that cannot be read at all is told, and every other message is kept", async () => {
  await using box = sandbox();
  const path = place(box);
  const before = rowsOf(path);
  // the page in which the last message begins
  const bytes = readFileSync(path);
  const leaf = Math.floor(bytes.lastIndexOf("message 22 ") / 4096) + 1;
  const there = before.filter(({ message }) => {
    const at = bytes.lastIndexOf(message.slice(0, 13));
    return Math.floor(at / 4096) + 1 === leaf;
  });
  wipe(path, leaf, 0xff);
  const result = await repair(box);
  expect(result).toMatchObject({ status: 0, state: "repaired" });
  expect(result.unreadable).toBeGreaterThan(0);
  expect(rowsOf(path)).toEqual(before.filter((row) => !there.includes(row)));
  expect(await sendAll(box, "code", ["next"])).toEqual([23]);
});

test("a file that was cut off keeps what is left", async () => {
  await using box = sandbox();
  const path = place(box);
  truncateSync(path, Math.floor(statSync(path).size / 2) + 1_000);
  const result = await repair(box);
  expect(result).toMatchObject({ status: 0, state: "repaired" });
  expect(result.saved.length).toBeGreaterThan(3);
  const texts = new Set(rowsOf(full).map(({ message }) => message));
  expect(rowsOf(path).every(({ message }) => texts.has(message))).toBe(true);
});

describe("what SQLite can still read is never lost", () => {
  /** The messages that SQLite gives, one by one. */
  const readable = (path: string): Row[] => {
    let db: Database | undefined;
    const rows: Row[] = [];
    try {
      db = new Database(path, { readonly: true });
      for (let id = 1; id <= 30; id++) {
        try {
          const row = db.query<Row, [number]>("SELECT * FROM messages WHERE id = ?").get(id);
          if (row) rows.push(row);
        } catch {} // this one is damaged
      }
    } catch {
      // all of them are
    } finally {
      db?.close();
    }
    return rows;
  };

  test("whatever bytes are damaged", async () => {
    const original = readFileSync(full);
    const intact = new Map(rowsOf(full).map((row) => [row.id, row]));
    const hit = fc.record({
      at: fc.oneof(fc.nat(original.length - 1), fc.nat(4095), fc.nat(150)),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(hit, { minLength: 1, maxLength: 4 }), async (hits) => {
        const path = join(scratch, "random.db");
        writeFileSync(path, original);
        for (const { at, bytes } of hits) overwrite(path, at, bytes);
        const whole = readable(path).filter((row) => Bun.deepEquals(row, intact.get(row.id)));
        const kept = salvage(readFileSync(path))?.messages ?? [];
        const texts = kept.map(({ message }) =>
          message && typeof message === "object" && "text" in message
            ? Buffer.from(message.text).toString()
            : "",
        );
        for (const { message } of whole) expect(texts).toContain(message);
      }),
      { numRuns: 300 },
    );
  });

  test("a sound file is read just as SQLite reads it", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 50 }),
      fc.string({ minLength: 3_000, maxLength: 20_000 }),
    );
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ insert: text }) },
      { weight: 1, arbitrary: fc.record({ remove: fc.nat(40) }) },
    );
    const sizes = fc.constantFrom(512, 1024, 4096, 65_536);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), sizes, async (steps, size) => {
        const path = join(scratch, `${crypto.randomUUID()}.db`);
        const db = new Database(path);
        db.run(`PRAGMA page_size = ${size}`);
        db.run(`CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, message TEXT NOT NULL,
          timestamp TEXT NOT NULL, read_by_desktop_at TEXT, read_by_code_at TEXT)`);
        for (const each of steps) {
          if ("insert" in each) {
            const values = ["code", each.insert.toWellFormed(), "2026-11-25T00:00:00Z"];
            db.query("INSERT INTO messages (sender, message, timestamp) VALUES (?, ?, ?)").run(...values);
          } else db.query("DELETE FROM messages WHERE id = ?").run(each.remove);
        }
        db.close();
        const saved = salvage(readFileSync(path));
        const texts = saved?.messages.map(({ id, message }) => [
          id,
          Buffer.from((message as { text: Uint8Array }).text).toString(),
        ]);
        expect(texts).toEqual(rowsOf(path).map(({ id, message }) => [id, message]));
        rmSync(path);
      }),
      { numRuns: 60 },
    );
  });
});

/** Another process that holds the buffer as these statements do, until it is told to let go. */
async function hold(box: Sandbox, path: string, sql: string) {
  const script = `const { Database } = require("bun:sqlite");
    const db = new Database(${JSON.stringify(path)});
    db.run("PRAGMA busy_timeout = 5000");
    for (const each of ${JSON.stringify(sql.split("; "))}) db.query(each).all();
    console.log("ready");
    setInterval(() => {}, 1000);`;
  const holder = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", env: box.env });
  const letGo = async () => {
    holder.kill("SIGKILL");
    await holder.exited;
  };
  box.defer(letGo);
  await holder.stdout.getReader().read();
  return { holder, letGo };
}

describe("a buffer that somebody else uses is left alone, and they are named:", () => {
  const ways: [name: string, sql: string][] = [
    ["a writer", "BEGIN IMMEDIATE"],
    ["a reader in a transaction", "BEGIN; SELECT count(*) FROM relay_tickets"],
  ];
  test.each(ways)("%s", async (_name, sql) => {
    await using box = sandbox();
    const path = place(box);
    wipe(path, rootOf(path, "sqlite_autoindex_relay_readers_1"));
    const { holder, letGo } = await hold(box, path, sql);
    const before = snapshot(box.home);
    const refused = await box.relay(["doctor", "--repair"]);
    expect(refused).toMatchObject({ status: 4, stdout: "" });
    expect(refused.stderr).toMatch(
      new RegExp(`^relay: ${path} is in use by bun\\S* \\(process ${holder.pid}\\)\\. End that and run`),
    );
    expect(snapshot(box.home)).toEqual(before);
    await letGo();
    expect(await repair(box)).toMatchObject({ status: 0, state: "repaired" });
  });

  test("lsof's answer is understood", () => {
    expect(parseLsof("p12\ncrelay\nf5\np345\ncDB Browser for SQLite\nf7\nf8\n")).toEqual([
      { process: 12, name: "relay" },
      { process: 345, name: "DB Browser for SQLite" },
    ]);
  });
});

test("running servers say what to do, and go on in the repaired buffer", async () => {
  await using box = sandbox();
  const { desktop, code } = await connectBoth(box);
  await desktop.send("before");
  // a server that wrote just then, for an announcement, would put back what it had read before
  const { letGo } = await hold(box, box.buffer, "BEGIN IMMEDIATE");
  wipe(box.buffer, rootOf(box.buffer, "messages"), 0xff);
  overwrite(box.buffer, 24, Uint8Array.of(1)); // as if somebody wrote: the server forgets what it read
  await letGo();
  const answer = await desktop.call("relay_send", { message: "x" });
  expect(answer).toEqual({
    isError: true,
    text: expect.stringContaining("`relay doctor --repair` rebuilds it"),
  });
  expect(await repair(box)).toMatchObject({ status: 0, state: "repaired" });
  expect(await desktop.send("after")).toMatchObject({ ok: true });
  expect(textsOf(await code.fetch())).toEqual(["after"]);
  expect(await code.send("and back")).toMatchObject({ ok: true });
  expect(textsOf(await desktop.fetch())).toEqual(["and back"]);
});

describe("what is no buffer stays as it is:", () => {
  const strangers: [name: string, make: (path: string) => void, sentence: string][] = [
    [
      "a text",
      (path) => writeFileSync(path, "Dear diary,\n".repeat(1_000)),
      "nothing in it says that it ever was",
    ],
    [
      "another program's database",
      (path) => {
        using db = new Database(path);
        db.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
      },
      "some other program's database",
    ],
    [
      "another program's damaged database",
      (path) => {
        const db = new Database(path);
        db.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
        db.run("CREATE TABLE messages (id INTEGER PRIMARY KEY, body TEXT)");
        db.run("INSERT INTO messages (body) VALUES ('hello')");
        db.close();
        wipe(path, 2, 0xff);
      },
      "nothing in it says that it ever was",
    ],
    [
      "a buffer of a newer relay",
      (path) => {
        copyFileSync(full, path);
        using db = new Database(path);
        db.run("PRAGMA user_version = 2000");
      },
      "was written by a newer relay",
    ],
  ];
  test.each(strangers)("%s", async (_name, make, sentence) => {
    await using box = sandbox();
    make(box.buffer);
    chmodSync(box.buffer, 0o600);
    const before = snapshot(box.home);
    const refused = await box.relay(["doctor", "--repair"]);
    expect(refused).toMatchObject({ status: 4, stdout: "", stderr: expect.stringContaining(sentence) });
    expect(snapshot(box.home)).toEqual(before);
  });
});

test("the person's own link stays, and its target is repaired", async () => {
  await using box = sandbox();
  const real = join(box.home, "real.db");
  copyFileSync(full, real);
  chmodSync(real, 0o600);
  symlinkSync("real.db", box.buffer);
  overwrite(real, 0, nothing.subarray(0, 16));
  const { aside } = await repair(box);
  expect(aside).toStartWith(`${real}.damaged-`);
  expect(lstatSync(box.buffer).isSymbolicLink()).toBe(true);
  expect(rowsOf(real).length).toBe(20);
});

test("nothing that was set aside is overwritten, in the same second neither", async () => {
  await using box = sandbox();
  const clock = { ...systemClock, now: () => Date.UTC(2026, 10, 25, 1, 2, 3) };
  const system = { exists: existsSync, find: () => null } as unknown as System;
  const asides: string[] = [];
  for (let round = 0; round < 3; round++) {
    place(box);
    overwrite(box.buffer, 0, Uint8Array.of(round));
    const done = await repairBuffer(box.buffer, { clock, system });
    if (done.state === "repaired") asides.push(done.aside);
  }
  const name = `${box.buffer}.damaged-20261125T010203Z`;
  expect(asides).toEqual([name, `${name}-2`, `${name}-3`]);
  expect(asides.map((path) => readFileSync(path)[0])).toEqual([0, 1, 2]);
});

const hasDisks =
  process.platform === "linux" &&
  Bun.spawnSync(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]).exitCode === 0;

test.skipIf(!hasDisks)("on a full disk nothing is changed, and with room it is repaired", async () => {
  await using box = sandbox();
  const script = `set -e
    mkdir disk; mount -t tmpfs -o size=4m,mode=0700 tmpfs disk
    cp "$FULL" disk/b.db; chmod 600 disk/b.db
    printf garbage | dd of=disk/b.db conv=notrunc 2>/dev/null; cp disk/b.db before
    cat /dev/zero >disk/fill 2>/dev/null || true
    export RELAY_DB="$PWD/disk/b.db"
    "$RELAY" doctor --repair 2>&1 || echo "status $?"
    cmp before disk/b.db; ls disk; rm disk/fill
    "$RELAY" doctor --repair --json; ls disk | wc -l`;
  const { stdout, stderr } = await box.run(["unshare", "-rm", "sh", "-c", script], {
    env: { FULL: full, RELAY: relayBinary },
  });
  expect(stderr).toBe("");
  const [sentence, ...lines] = stdout.trimEnd().split("\n");
  expect(sentence).toContain("there is no room left on the disk of");
  expect(lines.slice(0, 3)).toEqual(["status 4", "b.db", "fill"]);
  expect(JSON.parse(lines[3] ?? "")).toMatchObject({ ok: true, state: "repaired", cut: [], unreadable: 0 });
  expect(lines[4]).toBe("2");
});

test("what was set aside goes with the messages when everything is purged, and nothing else does", async () => {
  await using box = sandbox();
  place(box);
  overwrite(box.buffer, 0, nothing.subarray(0, 16));
  const { aside } = await repair(box);
  const mine = `${box.buffer}.damaged-by-me`;
  writeFileSync(mine, "");
  const purged = await box.relay(["uninstall", "--purge", "--yes"]);
  expect(purged.stderr).toContain("relay: deleted 1 file that a repair had set aside.\n");
  expect([existsSync(aside), existsSync(mine)]).toEqual([false, true]);
});

test("what a crash left in the journal is rolled back first, and kept", async () => {
  await using box = sandbox();
  const path = place(box);
  const before = rowsOf(path);
  // a transaction too large for its cache is in the file before it is committed
  const script = `const { Database } = require("bun:sqlite");
    const db = new Database(${JSON.stringify(path)});
    db.run("PRAGMA cache_size = 2; PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL");
    db.run("BEGIN IMMEDIATE; UPDATE messages SET message = replace(message, 'message', 'garbled'), sender = 'x'");
    process.kill(process.pid, "SIGKILL");`;
  await Bun.spawn([process.execPath, "-e", script], { env: box.env }).exited;
  expect(statSync(`${path}-journal`).size).toBeGreaterThan(0);
  expect(readFileSync(path).includes("garbled")).toBe(true);
  wipe(path, rootOf(full, "sqlite_autoindex_relay_readers_1"));
  const [database, journal] = [readFileSync(path), readFileSync(`${path}-journal`)];
  const { aside, state } = await repair(box);
  expect(state).toBe("repaired");
  expect(rowsOf(path)).toEqual(before);
  expect(statSync(`${path}-journal`).size).toBe(0);
  expect(readFileSync(aside).equals(database)).toBe(true);
  expect(readFileSync(`${aside}-journal`).equals(journal)).toBe(true);
});

test("what stands in a write-ahead log is kept", async () => {
  await using box = sandbox();
  const path = place(box);
  const script = `const { Database } = require("bun:sqlite");
    const db = new Database(${JSON.stringify(path)});
    db.run("PRAGMA journal_mode = WAL");
    db.run("INSERT INTO messages (sender, message, timestamp) VALUES ('code', 'in the log', '2026-11-25T00:00:00Z')");
    process.kill(process.pid, "SIGKILL");`;
  await Bun.spawn([process.execPath, "-e", script], { env: box.env }).exited;
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
  wipe(path, rootOf(full, "sqlite_autoindex_relay_readers_1"));
  const { aside, state } = await repair(box);
  expect(state).toBe("repaired");
  expect(rowsOf(path).at(-1)).toMatchObject({ id: 23, message: "in the log" });
  expect(existsSync(`${path}-wal`)).toBe(false);
  expect(existsSync(`${aside}-wal`)).toBe(true);
});

test("a repair that is killed at any moment leaves the old file or the new one, and the next one finishes", async () => {
  const ids = rowsOf(full).map(({ id }) => id);
  const seen = new Set<string>();
  for (let round = 0; round < 40; round++) {
    await using box = sandbox();
    const path = place(box);
    overwrite(path, 0, nothing.subarray(0, 16));
    const damaged = readFileSync(path);
    const child = Bun.spawn([relayBinary, "doctor", "--repair"], {
      env: box.env,
      cwd: box.home,
      stdio: ["ignore", "ignore", "ignore"],
    });
    const folder = () => readdirSync(box.home).join(" ");
    // at a moment of the work itself, then a little later each time
    const sign = ["repair-copy", "repair-next", "damaged"][round % 3] ?? "";
    await until("the repair to get there", () => folder().includes(sign) || child.exitCode !== null);
    await Bun.sleep(round % 5);
    child.kill("SIGKILL");
    await child.exited;
    const found = readFileSync(path);
    if (found.equals(damaged)) seen.add("old");
    else {
      seen.add("new");
      expect(rowsOf(path).map(({ id }) => id)).toEqual(ids);
    }
    const { status } = await repair(box);
    expect(status).toBe(0);
    expect(rowsOf(path).map(({ id }) => id)).toEqual(ids);
    expect(folder()).not.toContain("repair-");
  }
  expect(seen.has("old")).toBe(true);
});
