// Promise 5: a server is there while it is needed, and gone right after. design.md, "Lifecycle of a server".
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPatiently } from "./support/database.ts";
import { get, relayBinary, sandbox, sendAll, until } from "./support/sandbox.ts";
import { initialize, type Server, startSession, toolCall } from "./support/server-process.ts";

function line(message: Record<string, unknown>): string {
  return `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`;
}

async function expectEndWithInput({ child }: Server): Promise<void> {
  const before = performance.now();
  await child.stdin.end();
  expect(await child.exited).toBe(0);
  expect(performance.now() - before).toBeLessThan(5_000);
}

describe("a server ends with status 0", () => {
  test("at the end of input, after answering what it had read", async () => {
    await using box = sandbox();
    const requests = [initialize(), toolCall(1, "relay_send", { message: "last words" }), { id: 2, method: "ping" }];
    const input = requests.map(line).join("");
    const ended = await box.run([relayBinary, "--client", "desktop"], { stdin: input });
    expect(ended.status).toBe(0);
    const answers = ended.stdout
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(answers.map(({ id }) => id).sort()).toEqual([0, 1, 2]);
    expect(answers.every((answer) => "result" in answer)).toBe(true);
  });

  test("at the end of an input without a last newline", async () => {
    await using box = sandbox();
    const ended = await box.run([relayBinary, "serve"], { stdin: line(initialize()).trimEnd() });
    expect(ended.status).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ id: 0, result: { serverInfo: { name: "relay" } } });
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("on %s", async (signal) => {
    await using box = sandbox();
    const server = await startSession(box);
    const before = performance.now();
    server.child.kill(signal);
    expect(await server.child.exited).toBe(0);
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(server.stderr()).toBe("");
  });

  test("at the end of input, though its client read nothing and its output is full", async () => {
    await using box = sandbox();
    const server = await startSession(box, { reading: false });
    for (let id = 1; id <= 100; id++) server.send({ id, method: "tools/list" });
    server.send(toolCall(101, "relay_send", { message: "taken after all of these" }));
    await until("all requests to be taken", async () => (await get(box, "desktop", "--peek")).messages.length > 0);
    await expectEndWithInput(server);
  });

  test("at the end of input, though a request waits for a lock", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one"]);
    const server = await startSession(box);
    using db = openPatiently(box.buffer);
    db.run("BEGIN IMMEDIATE");
    server.send(toolCall(1, "relay_fetch"));
    await expectEndWithInput(server);
  });

  test("within 5 s of its parent, though its input stays open", async () => {
    await using box = sandbox();
    const script = `exec >shell 2>&1; mkfifo input; sleep 600 >input & echo $! >sleeper
      "$RELAY" --client code <input >output & echo $! >pid
      printf %s "$REQUEST" >input; until [ -s output ]; do sleep 0.1; done`;
    await box.run(["sh", "-c", script], { env: { RELAY: relayBinary, REQUEST: line(initialize()) } });
    const pid = (file: string) => Number(readFileSync(join(box.home, file), "utf8"));
    box.defer(() => void process.kill(pid("sleeper"), "SIGKILL"));
    expect(isAlive(pid("pid"))).toBe(true);
    const before = performance.now();
    await until("the orphan ends", () => !isAlive(pid("pid")), 15_000);
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(isAlive(pid("sleeper"))).toBe(true);
  });
});

function isAlive(pid: number): boolean {
  // an orphan may stay a zombie for a while
  const status = `/proc/${pid}/stat`;
  if (existsSync("/proc/self/stat")) return existsSync(status) && !/\) Z /.test(readFileSync(status, "utf8"));
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("input that is no request does not end a server, and stdout stays MCP", () => {
  const inputs: [name: string, bytes: string | Uint8Array, error: object | null][] = [
    ["an empty line", "\n", null],
    ["a line that is no JSON", "hello?\n", { code: -32700 }],
    ["a batch", "[]\n", { code: -32600 }],
    ["a number", "7\n", { code: -32600 }],
    ["no version", '{"id":5,"method":"ping"}\n', { code: -32600 }],
    ["no method", '{"jsonrpc":"2.0","id":5}\n', { code: -32600 }],
    ["an answer to no request", '{"jsonrpc":"2.0","id":99,"result":{}}\n', null],
    ["an unknown notification", '{"jsonrpc":"2.0","method":"notifications/unheard"}\n', null],
    [
      "a cancellation of nothing",
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}\n',
      null,
    ],
    ["a megabyte of x", `${"x".repeat(1_048_576)}\n`, { code: -32700 }],
    ["a megabyte of brackets", `${"[".repeat(1_048_576)}\n`, { code: -32700 }],
    ["17 MB without a newline, then one", `${"y".repeat(17 * 1_048_576)}\n`, { code: -32600 }],
    ["binary noise", Buffer.concat([noise(50_000), Buffer.from("\n")]), { code: -32700 }],
  ];
  test.each(inputs)("%s", async (_name, bytes, error) => {
    await using box = sandbox();
    const server = await startSession(box);
    server.write(bytes);
    server.send({ id: 1, method: "ping" });
    expect(await server.answer(1)).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    const errors = server.lines.filter((answer) => "error" in answer);
    expect(errors).toMatchObject(error ? [{ jsonrpc: "2.0", error }] : []);
  });

  test("half a line now and half a line later is one request", async () => {
    await using box = sandbox();
    const server = await startSession(box);
    const request = Buffer.from(line(toolCall(1, "relay_send", { message: "é😀", sender: "code" })));
    for (const byte of request) server.write(Uint8Array.of(byte));
    expect(await server.answer(1)).toMatchObject({ result: { content: [{ type: "text" }] } });
  });
});

/** The same bytes every time, without a newline. */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return state % 256 === 10 ? 11 : state % 256;
  });
}

describe("--idle-timeout", () => {
  test("pings a client that asks nothing, and keeps serving the one that answers; 0 is never", async () => {
    await using box = sandbox();
    const idle = (seconds: string) => startSession(box, { args: ["--client", "code", "--idle-timeout", seconds] });
    const [never, server] = [await idle("0"), await idle("0.3")];
    const ping = () => server.lines.find(({ method }) => method === "ping");
    await until("a ping", () => ping() !== undefined);
    server.send({ id: ping()?.id, result: {} });
    server.send(toolCall(1, "relay_send", { message: "x" }));
    expect(await server.answer(1)).toHaveProperty("result");
    expect(never.lines.some(({ method }) => method === "ping")).toBe(false);
  });

  test("ends the server of a client that answered one ping, and then no more", async () => {
    await using box = sandbox();
    // five pings take ten minutes, so its timers run a thousand times as fast
    const preload = join(box.home, "fast.ts");
    const faster = "(work, milliseconds = 0, ...args) => timeout(work, milliseconds / 1000, ...args)";
    writeFileSync(preload, `const timeout = setTimeout;\nglobalThis.setTimeout = ${faster};\n`);
    const main = join(import.meta.dir, "../src/main.ts");
    const server = await startSession(box, {
      command: [process.execPath, "--preload", preload, main],
      args: ["--client", "code", "--idle-timeout", "0.3"],
    });
    const pings = () => server.lines.filter(({ method }) => method === "ping");
    await until("a ping", () => pings().length > 0);
    server.send({ id: pings()[0]?.id, error: null });
    expect(await server.child.exited).toBe(0);
    await until("five more", () => pings().length > 5);
    expect(server.stderr()).toBe("");
  });
});

test("--debug logs requests and outcomes, never a text", async () => {
  await using box = sandbox();
  const server = await startSession(box, {
    args: ["--client", "code", "--debug"],
    env: { SECRET_TOKEN: "hush-hush" },
  });
  server.send(toolCall(1, "relay_send", { message: "the secret plan" }));
  server.send(toolCall(2, "relay_send", { message: "" }));
  server.send(toolCall(3, "no_such_tool"));
  await Promise.all([server.answer(1), server.answer(2), server.answer(3)]);
  await until("the log", () => server.stderr().split("\n").length > 5);
  const log = server
    .stderr()
    .replace(/[\d.]+ ms/g, "N ms")
    .replace(/(to desktop: ).+/, "$1as it went"); // this machine may have a notifier, and has no bus here
  expect(log.trimEnd().split("\n").sort()).toEqual([
    "relay: announcing 1 to desktop: as it went",
    "relay: initialize: done, N ms",
    'relay: tools/call "no_such_tool": error -32602, N ms',
    'relay: tools/call "relay_send": done, N ms',
    'relay: tools/call "relay_send": refused, N ms',
  ]);
  expect(server.stderr()).not.toContain("secret");
  expect(server.stderr()).not.toContain("hush");
});
