// The file goes, changes or is locked under live servers: nothing is acknowledged into a file that is not at the path.
// design.md, "The file".
import { describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openPatiently } from "./support/database.ts";
import { connectBoth, type Peer, textsOf } from "./support/peer.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";
import { startSession, toolCall } from "./support/server-process.ts";

/** The texts in a buffer file, oldest first. */
function textsIn(path: string): string[] {
  if (!existsSync(path)) return [];
  using db = openPatiently(path);
  if (!db.query("SELECT 1 FROM sqlite_schema WHERE name = 'messages'").get()) return [];
  const rows = db.query<{ message: string }, []>("SELECT message FROM messages ORDER BY id").all();
  return rows.map(({ message }) => message);
}

/** Both servers, with nothing to do by themselves that could write when the file is replaced. */
function startBoth(box: Sandbox): Promise<{ desktop: Peer; code: Peer }> {
  box.env.RELAY_NOTIFY = "off";
  return connectBoth(box);
}

/** Another buffer beside the real one, with a message in it. Answers its path. */
async function makeOther(box: Sandbox): Promise<string> {
  const path = join(box.home, "other");
  const sent = await box.relay(["send", "--to", "code", "in other"], { env: { RELAY_DB: path } });
  if (sent.status !== 0) throw new Error(sent.stderr);
  return path;
}

const ways: [name: string, replace: (box: Sandbox, other: string) => void, waiting: string[]][] = [
  ["removed", ({ buffer }) => rmSync(buffer), []],
  ["renamed away", ({ buffer }) => renameSync(buffer, `${buffer}-away`), []],
  ["replaced by another buffer", ({ buffer }, other) => renameSync(other, buffer), ["in other"]],
  [
    "replaced by an empty file",
    ({ buffer }) => {
      rmSync(buffer);
      writeFileSync(buffer, "");
    },
    [],
  ],
  ["emptied in place", ({ buffer }) => truncateSync(buffer), []],
  ["overwritten in place by another buffer", ({ buffer }, other) => copyFileSync(other, buffer), ["in other"]],
  [
    "replaced by the person's own link to another buffer",
    ({ buffer }, other) => {
      rmSync(buffer);
      symlinkSync(other, buffer);
    },
    ["in other"],
  ],
  [
    "gone with its folder, which is made again",
    ({ home }) => {
      renameSync(home, `${home}.old`);
      mkdirSync(home, { mode: 0o700 });
    },
    [],
  ],
];

describe("under two live servers the buffer is", () => {
  test.each(ways)("%s: both go on in what is at the path", async (_name, replace, waiting) => {
    await using box = sandbox();
    box.defer(() => rmSync(`${box.home}.old`, { recursive: true, force: true }));
    const { desktop, code } = await startBoth(box);
    await desktop.send("before");
    await code.send("before");
    replace(box, await makeOther(box));

    expect(await desktop.send("to code")).toMatchObject({ ok: true, unread: waiting.length + 1 });
    expect(textsIn(box.buffer)).toEqual([...waiting, "to code"]);
    expect(textsOf(await code.fetch())).toEqual([...waiting, "to code"]);
    expect(await code.send("to desktop")).toMatchObject({ ok: true, unread: 1 });
    expect(textsOf(await desktop.fetch())).toEqual(["to desktop"]);
    expect((await desktop.call("relay_clear")).text).toContain(`"deleted":${waiting.length + 2},`);
  });
});

describe("in place of the buffer a live server finds", () => {
  const places: [name: string, make: (path: string) => void, sentence: string][] = [
    ["a folder", (path) => mkdirSync(path), "is a folder, not a file"],
    ["a link to nothing", (path) => symlinkSync("nowhere", path), "is a link to a file that does not exist"],
    ["a text", (path) => writeFileSync(path, "Dear diary,\n"), "is not a SQLite database"],
  ];
  test.each(places)("%s: it refuses, and works once that is gone", async (_name, make, sentence) => {
    await using box = sandbox();
    const { desktop, code } = await startBoth(box);
    await desktop.send("before");
    make(`${box.buffer}-new`);
    rmSync(box.buffer);
    renameSync(`${box.buffer}-new`, box.buffer);
    const refusals = [desktop.call("relay_send", { message: "x" }), code.call("relay_fetch")];
    for (const answer of await Promise.all(refusals)) {
      expect(answer).toEqual({ isError: true, text: expect.stringMatching(/^relay: [^\n]+$/) });
      expect(answer.text).toContain(`${box.buffer} ${sentence}`);
    }
    renameSync(box.buffer, `${box.buffer}-away`);
    expect(await desktop.send("fixed")).toMatchObject({ ok: true, unread: 1 });
    expect(textsOf(await code.fetch())).toEqual(["fixed"]);
  });
});

test("however often the file is moved away under two servers that send, each acknowledged message was in a file at the path", async () => {
  await using box = sandbox();
  const { desktop, code } = await startBoth(box);
  await desktop.send("first");
  await code.send("first back");
  const moves = 40;
  let moved = 0;
  const acknowledged: { id: number; text: string; sent: number; at: number; evicted: number[] }[] = [];
  const sending = async (peer: Peer, label: string) => {
    for (let n = 0; moved < moves; n++) {
      const [text, sent] = [`${label} ${n}`, moved];
      const { id, evicted } = (await peer.send(text)) as { id: number; evicted: number[] };
      acknowledged.push({ id, text, sent, at: moved, evicted });
    }
  };
  const moving = async () => {
    while (moved < moves) {
      const [before, waits] = [acknowledged.length, Math.random() * 15];
      await Bun.sleep(waits);
      // on a busy machine no send fits between two moves, and nothing would be tried
      while (moved % 5 === 0 && acknowledged.length === before) await Bun.sleep(1);
      if (existsSync(box.buffer)) renameSync(box.buffer, join(box.home, `old-${moved++}`));
    }
  };
  await Promise.all([moving(), sending(desktop, "d"), sending(code, "c")]);

  const files = Array.from({ length: moves }, (_, n) => textsIn(join(box.home, `old-${n}`)));
  files.push(textsIn(box.buffer));
  const lost = acknowledged.filter(({ id, text, sent, at }) => {
    const isThere = files.slice(sent, at + 1).some((texts) => texts.includes(text));
    return !isThere && !acknowledged.some((one) => one.evicted.includes(id) && one.at >= sent && one.sent <= at);
  });
  expect(lost).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(moves / 5);
  for (const texts of files) expect(texts).toEqual([...new Set(texts)]);
});

describe("while another program holds the lock", () => {
  test.each([
    ["to write", ["BEGIN IMMEDIATE"]],
    ["to read, so that nobody can commit", ["BEGIN", "SELECT * FROM messages"]],
  ])("%s, a send waits, and a ping is answered meanwhile", async (_name, statements) => {
    await using box = sandbox();
    const server = await startSession(box, { args: ["--client", "desktop"] });
    server.send(toolCall(1, "relay_send", { message: "first" }));
    await server.answer(1);
    using other = openPatiently(box.buffer);
    for (const statement of statements) other.query(statement).all();
    server.send(toolCall(2, "relay_send", { message: "second" }));
    for (let id = 3; id <= 7; id++) {
      server.send({ id, method: "ping" });
      expect(await server.answer(id)).toEqual({ jsonrpc: "2.0", id, result: {} });
      await Bun.sleep(20);
    }
    expect(server.lines.some((line) => line.id === 2)).toBe(false);
    other.run("COMMIT");
    expect(JSON.stringify(await server.answer(2))).toContain('\\"ok\\":true,\\"id\\":2');
  });

  test("a send, a fetch and a command give up after 5 s with one sentence, and nothing was stored", async () => {
    await using box = sandbox();
    const { desktop, code } = await startBoth(box);
    await desktop.send("first");
    using other = openPatiently(box.buffer);
    other.run("BEGIN IMMEDIATE");
    const before = performance.now();
    const sentence = `relay: ${box.buffer} is locked by another program. Close that program, or try again.`;
    const answers = await Promise.all([
      desktop.call("relay_send", { message: "second" }),
      code.call("relay_fetch"),
      code.call("relay_clear"),
      box.relay(["send", "--to", "code", "third"]),
    ]);
    expect(performance.now() - before).toBeGreaterThan(4_900);
    const refused = { isError: true, text: sentence };
    expect(answers).toEqual([refused, refused, refused, { status: 4, stdout: "", stderr: `${sentence}\n` }]);
    other.run("ROLLBACK");
    expect(textsIn(box.buffer)).toEqual(["first"]);
    expect(await desktop.send("second")).toMatchObject({ id: 2 });
  });
});
