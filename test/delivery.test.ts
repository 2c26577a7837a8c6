import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPatiently } from "./support/database.ts";
import { connect } from "./support/peer.ts";
import { get, relayBinary, type Sandbox, sandbox, sendAll, until } from "./support/sandbox.ts";
import { initialize, type Server, startSession, toolCall } from "./support/server-process.ts";

const large = "x".repeat(65_536);

/** Holds the buffer's lock until the function it answers is called. */
function lock(box: Sandbox): () => void {
  const db = openPatiently(box.buffer);
  db.run("BEGIN IMMEDIATE");
  return () => {
    db.run("ROLLBACK");
    db.close();
  };
}

/** Runs a shell script whose processes all go with the sandbox, or when the function it answers is called. */
function startShell(box: Sandbox, script: string): { kill(): void } {
  const shell = Bun.spawn(["sh", "-c", script], {
    env: { ...box.env, RELAY: relayBinary },
    cwd: box.home,
    stdio: ["ignore", "ignore", "ignore"],
    detached: true,
  });
  const kill = () => {
    try {
      process.kill(-shell.pid, "SIGKILL");
    } catch {} // all of them have ended
  };
  box.defer(async () => {
    kill();
    await shell.exited;
  });
  return { kill };
}

/** Waits until so many messages are on their way. */
async function onItsWay(box: Sandbox, count = 1): Promise<void> {
  await until(`${count} leased`, async () => (await get(box, "code", "--peek")).elsewhere === count);
}

/** Resolves once the server has taken on all that was sent to it before. */
async function ping(server: Server, id: string): Promise<void> {
  server.send({ id, method: "ping" });
  await server.answer(id);
}

describe("a fetch that was cancelled", () => {
  test("before it could lease changes nothing", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one"]);
    const server = await startSession(box, { id: "init" });
    const unlock = lock(box);
    server.send(toolCall(1, "relay_fetch"));
    await ping(server, "begun");
    server.send({ method: "notifications/cancelled", params: { requestId: 1 } });
    await ping(server, "cancelled");
    unlock();
    server.send(toolCall(2, "relay_fetch"));
    const answer = await server.answer(2);
    expect(JSON.stringify(answer)).toContain("relay: 1 message from Desktop.");
    expect(JSON.stringify(answer)).not.toContain("may have been shown");
    expect(server.lines.some(({ id }) => id === 1)).toBe(false);
  });

  test("after it was answered is offered again, and says so", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one", "two"]);
    const server = await startSession(box);
    server.send(toolCall(7, "relay_fetch", { limit: 1 }));
    await server.answer(7);
    server.send({ method: "notifications/cancelled", params: { requestId: 7 } });
    server.send(toolCall(8, "relay_fetch"));
    const answer = JSON.stringify(await server.answer(8));
    expect(answer).toContain("relay: 2 messages from Desktop.");
    expect(answer.match(/message 1, desktop, \S+ \(may have been shown before\)/g)).toHaveLength(1);
    expect(answer).not.toMatch(/message 2, desktop, \S+ \(may/);
  });

  test("and whose id a client uses again does not keep the next answer back", async () => {
    await using box = sandbox();
    const server = await startSession(box);
    for (const method of ["ping", "tools/list"]) {
      server.send({ method: "notifications/cancelled", params: { requestId: 1 } });
      server.send({ id: 1, method });
      await until("an answer", () => server.lines.filter(({ id }) => id === 1).length === (method === "ping" ? 1 : 2));
    }
  });

  test("while it waited behind other answers is offered again at once, without a label", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["waits", large]);
    const server = await startSession(box, { args: [], reading: false });
    for (let id = 1; id <= 5; id++) server.send(toolCall(id, "relay_fetch", { limit: 20 })); // marks nothing
    server.send(toolCall(6, "relay_fetch", { reader: "code" }));
    await onItsWay(box);
    server.send({ method: "notifications/cancelled", params: { requestId: 6 } });
    await onItsWay(box, 0);
    const page = await get(box, "code", "--peek");
    expect(page.messages.map(({ id, maybe_shown }) => [id, maybe_shown])).toEqual([[1, false]]);
  });
});

test("a fetch that was cancelled together with many other requests is offered again, and says so", async () => {
  await using box = sandbox();
  await sendAll(box, "code", [large, "two"]);
  const server = await startSession(box, { reading: false });
  server.send(toolCall(1, "relay_fetch", { limit: 2 }));
  await box.run(["sh", "-c", "{ read -r line; head -c 1; } <output-*"]); // the page is being written
  for (let id = 2; id <= 200; id++) server.send({ id, method: "ping" });
  for (let id = 1; id <= 200; id++) server.send({ method: "notifications/cancelled", params: { requestId: id } });
  server.send(toolCall(300, "relay_send", { message: "taken after all of these" }));
  await until("all requests to be taken", async () => (await get(box, "desktop", "--peek")).messages.length === 1);
  startShell(box, "cat output-* >/dev/null"); // now its client reads
  await onItsWay(box, 0);
  expect((await get(box, "code")).messages.map(({ id, maybe_shown }) => [id, maybe_shown])).toEqual([[1, true]]);
});

test("a send that was cancelled before it was stored stores nothing", async () => {
  await using box = sandbox();
  await sendAll(box, "code", ["one"]);
  const server = await startSession(box, { id: "init" });
  const unlock = lock(box);
  server.send(toolCall(1, "relay_send", { message: "cancelled" }));
  await ping(server, "begun");
  server.send({ method: "notifications/cancelled", params: { requestId: 1 } });
  await ping(server, "cancelled");
  unlock();
  server.send(toolCall(2, "relay_send", { message: "two" }));
  await server.answer(2);
  const { messages } = await get(box, "desktop");
  expect(messages.map(({ message }) => message)).toEqual(["two"]);
});

test.each([0, 2, 4, 6, 8, 12])(
  "a fetch that was cancelled in the same breath, %d lines later, is not written and leaves nothing behind",
  async (lines) => {
    await using box = sandbox();
    await sendAll(box, "code", ["one"]);
    const server = await startSession(box);
    const messages = [
      toolCall(1, "relay_fetch"),
      { method: "notifications/cancelled", params: { requestId: 1 } },
      toolCall(2, "relay_fetch"),
    ].map((message) => JSON.stringify({ jsonrpc: "2.0", ...message }));
    server.write(`${messages[0]}\n${"\n".repeat(lines)}${messages[1]}\n`);
    await ping(server, "taken");
    server.write(`${messages[2]}\n`);
    const page = JSON.stringify(await server.answer(2));
    expect(page).toContain("relay: 1 message from Desktop.");
    const isShown = server.lines.some((line) => line.id === 1);
    expect([isShown, page.includes("may have been shown")]).toEqual([isShown, isShown]);
  },
);

test("a page that waited behind another one is not written once a second reader has it", async () => {
  await using box = sandbox();
  await sendAll(box, "code", [large, large, "third"]);
  const server = await startSession(box, { reading: false });
  for (let id = 1; id <= 3; id++) server.send(toolCall(id, "relay_fetch", { limit: 1 }));
  await onItsWay(box, 3);
  await until("the leases expire", async () => (await get(box, "code", "--peek")).elsewhere === 0, 50_000);
  for (const id of [1, 2, 3]) expect((await get(box, "code")).messages).toMatchObject([{ id, maybe_shown: true }]);
  startShell(box, "cat output-* >written"); // now its client reads
  const written = () => (existsSync(join(box.home, "written")) ? readFileSync(join(box.home, "written"), "utf8") : "");
  await until("an answer to each", () => written().split("\n").length > 4);
  const answers = written().split("\n").slice(1, 4);
  expect(answers.slice(1).map((answer) => answer.includes("expired and went to another reader"))).toEqual([true, true]);
}, 90_000);

test("a page whose ack fails has one answer", async () => {
  await using box = sandbox();
  await sendAll(box, "code", [large]);
  const server = await startSession(box, { reading: false });
  server.send(toolCall(1, "relay_fetch"));
  await onItsWay(box);
  const unlock = lock(box);
  startShell(box, "cat output-* >written"); // now its client reads
  await until("the server has waited", () => server.stderr().includes("is locked"), 50_000);
  unlock();
  server.send({ id: "after", method: "ping" });
  const written = () => readFileSync(join(box.home, "written"), "utf8");
  await until("the next answer", () => written().includes('"id":"after"'));
  expect(written()).not.toContain('"id":1,"error"');
}, 90_000);

describe("a page larger than a pipe, for a client that never reads", () => {
  test("stays leased to its server, and another fetch says that it is on its way elsewhere", async () => {
    await using box = sandbox();
    await sendAll(box, "code", [`${large.slice(0, -1)}1`, `${large.slice(0, -1)}2`]);
    const server = await startSession(box, { reading: false });
    server.send(toolCall(1, "relay_fetch"));
    await onItsWay(box);
    const code = await connect(box, { args: ["--client", "code"] });
    const page = await code.fetch();
    expect(page).toStartWith("relay: 1 message from Desktop, 1 more waiting, on its way elsewhere. ");
    expect(await code.fetch()).toBe("relay: nothing new from Desktop, 1 more waiting, on its way elsewhere.");
  });

  test("is offered again once its lease expired, and says so", async () => {
    await using box = sandbox();
    await sendAll(box, "code", [large]);
    const server = await startSession(box, { reading: false });
    server.send(toolCall(1, "relay_fetch"));
    await onItsWay(box);
    server.child.kill("SIGKILL");
    await server.child.exited;
    expect((await get(box, "code", "--peek")).messages).toEqual([]);
    using db = openPatiently(box.buffer);
    db.run("UPDATE messages SET leased_at = leased_at - 5000");
    expect((await get(box, "code")).messages).toMatchObject([{ id: 1, maybe_shown: true }]);
    expect((await get(box, "code")).messages).toEqual([]);
  });

  test("ends with SIGTERM, too, and a page that was only queued is offered again at once", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["queued", large]);
    const server = await startSession(box, { args: [], reading: false });
    for (let id = 1; id <= 5; id++) server.send(toolCall(id, "relay_fetch", { limit: 20 }));
    server.send(toolCall(6, "relay_fetch", { reader: "code" }));
    await onItsWay(box);
    const before = performance.now();
    server.child.kill("SIGTERM");
    expect(await server.child.exited).toBe(0);
    expect(performance.now() - before).toBeLessThan(5_000);
    expect((await get(box, "code")).messages).toMatchObject([{ id: 1, maybe_shown: false }]);
  });
});

/** In a shell: a pipe as descriptor 4 whose reader is gone. */
const closed = "mkfifo pipe; exec 3<>pipe 4>pipe 3<&-";

test("a server whose client closed its output ends, and offers the page again without a label", async () => {
  await using box = sandbox();
  await sendAll(box, "code", ["one"]);
  const requests = [initialize(), toolCall(1, "relay_fetch")];
  const lines = requests.map((request) => JSON.stringify({ jsonrpc: "2.0", ...request })).join("\n");
  writeFileSync(join(box.home, "requests"), `${lines}\n`);
  // input stays open: only the broken output can end this server
  const server = startShell(
    box,
    `${closed}; { cat requests; sleep 30; } | { "$RELAY" --client code >&4; echo $? >part; mv part status; }`,
  );
  await until("the server ends", () => existsSync(join(box.home, "status")));
  server.kill();
  expect(await Bun.file(join(box.home, "status")).text()).toBe("0\n");
  expect((await get(box, "code")).messages).toMatchObject([{ id: 1, maybe_shown: false }]);
});

describe("relay get", () => {
  test("into head -c 10, a page larger than a pipe: it may have been shown, the next was not", async () => {
    await using box = sandbox();
    await sendAll(box, "code", [large, "small"]);
    const got = await box.run(["sh", "-c", `"$RELAY" get --for code --limit 1 | head -c 10`], {
      env: { RELAY: relayBinary },
    });
    expect(got.stdout).toBe("relay: 1 m");
    expect(got.stderr).toContain("these messages may have been shown, and are offered again.");
    expect((await get(box, "code")).messages).toMatchObject([{ id: 1, maybe_shown: true, message: large }]);
    expect((await get(box, "code")).messages).toMatchObject([{ id: 2, maybe_shown: false }]);
  });

  test("whose output is closed from the start says that everything waits as before", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one"]);
    const got = await box.run(["sh", "-c", `${closed}; exec "$RELAY" get --for code >&4`], {
      env: { RELAY: relayBinary },
    });
    const stderr = "relay: the output was cut off, so these messages wait as before. Get them once more.\n";
    expect(got).toEqual({ status: 1, stdout: "", stderr });
    expect((await get(box, "code")).messages).toMatchObject([{ id: 1, maybe_shown: false }]);
  });
});
