// An older and a newer relay on one buffer, at once, before, during and after a migration. design.md, "The file".
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../build/compile.ts";
import { openPatiently } from "./support/database.ts";
import { connect, textsOf } from "./support/peer.ts";
import { get, relayBinary, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";

setDefaultTimeout(180_000); // programs of others, or many of relay's, have to start

const root = join(import.meta.dir, "..");
const compiling = 120_000;

// What a later relay may do: a column and a table of its own, of which this one knows nothing.
const nextMigration = `function addNext(db: Database): void {
  addColumn(db, "priority INTEGER NOT NULL DEFAULT 0");
  db.run("CREATE TABLE IF NOT EXISTS relay_next (message_id INTEGER PRIMARY KEY)");
  db.run(\`CREATE TRIGGER IF NOT EXISTS relay_note_next AFTER INSERT ON messages BEGIN
    INSERT INTO relay_next (message_id) VALUES (NEW.id); END\`);
}`;

let folder: string;
let newer: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "relay-test-versions-"));
  newer = join(folder, "relay-newer");
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  cpSync(join(root, "src"), join(folder, "src"), { recursive: true });
  const schema = join(folder, "src/store/schema.ts");
  const source = readFileSync(schema, "utf8");
  writeFileSync(schema, source.replace("\n];", `\n  addNext,\n];\n\n${nextMigration}`)); // the end of the list of migrations
  await compile({ entry: join(folder, "src/main.ts"), outfile: newer });
}, compiling);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function look(box: Sandbox): { version: number; noted: number; sound: string } {
  using db = openPatiently(box.buffer);
  const one = (sql: string) => Object.values(db.query(sql).get() as Record<string, unknown>)[0];
  const hasNotes = one("SELECT count(*) FROM sqlite_schema WHERE name = 'relay_next'") === 1;
  return {
    version: one("PRAGMA user_version") as number,
    noted: hasNotes ? (one("SELECT count(*) FROM relay_next") as number) : 0,
    sound: one("PRAGMA integrity_check") as string,
  };
}

test("servers of the older one go on while a newer one migrates the file under them, both ways", async () => {
  await using box = sandbox();
  const of = (command: string, client: string) => connect(box, { command, args: ["--client", client] });
  const old = { desktop: await of(relayBinary, "desktop"), code: await of(relayBinary, "code") };
  await old.desktop.send("before");
  await old.code.send("before, too");
  const { version } = look(box);

  const migrating = Array.from({ length: 4 }, (_, n) =>
    box.run([newer, "send", "--to", "code", `${n}`], { env: { RELAY_NOTIFY: "off" } }),
  );
  const meanwhile = [old.desktop.send("4"), box.relay(["send", "--to", "code", "5"])];
  for (const sent of await Promise.all(migrating)) expect(sent).toMatchObject({ status: 0, stderr: "" });
  await Promise.all(meanwhile);
  expect(look(box)).toMatchObject({ version: version + 1, sound: "ok" });

  const young = { desktop: await of(newer, "desktop"), code: await of(newer, "code") };
  const shown = [
    ...textsOf(await old.code.fetch({ limit: 3 })),
    ...textsOf(await young.code.fetch({ limit: 20 })),
  ];
  expect(shown.sort()).toEqual(["0", "1", "2", "3", "4", "5", "before"]);
  const { noted } = look(box);
  for (let round = 0; round < 15; round++) {
    await Promise.all([old.desktop.send(`old ${round}`), young.desktop.send(`young ${round}`)]);
    const pages = await Promise.all([old.code.fetch(), young.code.fetch()]);
    expect(pages.flatMap(textsOf).sort()).toEqual([`old ${round}`, `young ${round}`]);
  }
  expect(textsOf(await young.desktop.fetch())).toEqual(["before, too"]); // what was read had to go first
  expect(look(box)).toEqual({ version: version + 1, noted: noted + 30, sound: "ok" });
});

test("kill -9 in the middle of a migration leaves a file that both can use, with everything in it", async () => {
  const kills = 40;
  const peek = (box: Sandbox, stdout: "ignore" | "pipe" = "ignore") =>
    Bun.spawn([newer, "get", "--for", "code", "--peek", "--json"], {
      env: box.env,
      stdio: ["ignore", stdout, "ignore"],
    });
  await using box = sandbox();
  const ids = await sendAll(box, "code", ["one", "two", "x".repeat(30_000)]);
  const { version } = look(box);
  const old = readFileSync(box.buffer);
  const renew = () => {
    rmSync(`${box.buffer}-journal`, { force: true });
    writeFileSync(box.buffer, old, { mode: 0o600 });
  };
  const durations: number[] = [];
  for (let run = 0; run < 5; run++) {
    renew();
    const before = performance.now();
    await peek(box).exited;
    durations.push(performance.now() - before);
  }
  const normal = durations.sort((a, b) => a - b)[2] ?? 0;
  const left = new Set<number>();
  for (let kill = 0; kill < kills || (left.size < 2 && kill < kills * 10); kill++) {
    renew();
    const child = peek(box);
    // from one end of a normal run to the other, and beyond: far beyond where the machine became slower meanwhile
    await Bun.sleep((normal * 1.2 * kill) / kills);
    child.kill("SIGKILL");
    await child.exited;
    left.add(look(box).version);
    const peeked = await box.run([newer, "get", "--for", "code", "--peek", "--json"]);
    expect(peeked).toMatchObject({ status: 0, stderr: "" });
    expect((await get(box, "code", "--peek")).messages.map(({ id }) => id)).toEqual(ids);
    expect(look(box)).toMatchObject({ version: version + 1, sound: "ok" });
  }
  expect((await get(box, "code")).messages.map(({ id }) => id)).toEqual(ids);
  expect([...left].sort()).toEqual([version, version + 1]); // some before it, some after it
});

test("a file that became one of a newer major while servers had it open is left alone from then on, with one sentence, and used again by whoever can", async () => {
  await using box = sandbox();
  const desktop = await connect(box, { args: ["--client", "desktop"] });
  const code = await connect(box, { args: ["--client", "code"] });
  await desktop.send("before");
  const { version } = look(box);
  setVersion(box, 2_001);
  const bytes = readFileSync(box.buffer);
  const sentence = `relay: ${box.buffer} was written by a newer relay (schema 2001). Upgrade this one.`;
  for (const answer of [
    await desktop.call("relay_send", { message: "x" }),
    await code.call("relay_fetch"),
    await code.call("relay_clear"),
  ])
    expect(answer).toEqual({ isError: true, text: sentence });
  await Bun.sleep(2_500); // the servers look for messages to announce
  expect(readFileSync(box.buffer).equals(bytes)).toBe(true);
  setVersion(box, version);
  expect(textsOf(await code.fetch())).toEqual(["before"]);
});

function setVersion(box: Sandbox, version: number): void {
  using db = openPatiently(box.buffer);
  db.run(`PRAGMA user_version = ${version}`);
}
