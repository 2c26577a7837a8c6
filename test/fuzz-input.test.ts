// Whatever a client may write into a server's standard input. Seeds of failures are printed.
import { expect, test } from "bun:test";
import { JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import fc from "fast-check";
import type { Client } from "../src/core/client.ts";
import { assertFor, bent, broken, bytesOf, json, written } from "./support/bent.ts";
import { openPatiently } from "./support/database.ts";
import { type Sandbox, sandbox, until } from "./support/sandbox.ts";
import { type Server, startSession, toolCall } from "./support/server-process.ts";

// FUZZ_SECONDS=600 looks further
const seconds = Number(Bun.env.FUZZ_SECONDS ?? 10);

const initialize = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "x", version: "1" },
};
const calls: [tool: string, args: Record<string, unknown>][] = [
  ["relay_send", { message: "fuzz" }],
  ["relay_send", { message: "fuzz", sender: "desktop" }],
  ["relay_send", { message: "fuzz", sender: "code" }],
  ["relay_fetch", { limit: 3, reader: "desktop", unread_only: false }],
  ["relay_fetch", { limit: "7", reader: "code" }],
  ["relay_clear", {}],
];
const call = fc
  .tuple(fc.integer({ min: 20, max: 29 }), fc.constantFrom(...calls))
  .map(([id, [tool, args]]) => ({ jsonrpc: "2.0", ...toolCall(id, tool, args) }));
const requests = [
  { jsonrpc: "2.0", id: 1, method: "initialize", params: initialize },
  { jsonrpc: "2.0", id: "a", method: "ping" },
  { jsonrpc: "2.0", id: 2, method: "tools/list", params: { cursor: "x", _meta: { progressToken: 1 } } },
  { jsonrpc: "2.0", id: 5, method: "prompts/list" },
  { jsonrpc: "2.0", id: 6, method: "prompts/get", params: { name: "get", arguments: {} } },
  { jsonrpc: "2.0", id: 7, method: "resources/read", params: { uri: "file:///etc/passwd" } },
  { jsonrpc: "2.0", id: 8, method: "tasks/get", params: { taskId: "x" } },
  { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 2 } },
  { jsonrpc: "2.0", method: "notifications/initialized" },
  { jsonrpc: "2.0", id: 9, result: { ok: true } },
  { jsonrpc: "2.0", id: 9, error: { code: 1, message: "x" } },
];
const cancelled = fc.integer({ min: 20, max: 29 }).map((requestId) => ({
  jsonrpc: "2.0",
  method: "notifications/cancelled",
  params: { requestId, reason: "x" },
}));
const request = fc.oneof(fc.constantFrom(...requests), call, cancelled).chain(bent);

/** A call that is right but for its arguments. */
const bentCall = call.chain(({ params, ...rest }) =>
  bent(params.arguments).map((args) => ({ ...rest, params: { ...params, arguments: args } })),
);

function nested(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
}
const deepCall = fc
  .tuple(
    fc.nat(50_000),
    fc.constantFrom('{"name":"relay_send","arguments":', '{"name":"relay_fetch","arguments":{"limit":'),
  )
  .map(([depth, start]) => {
    const params = start + nested(depth) + "}".repeat(start.split("{").length - 1);
    return `{"jsonrpc":"2.0","id":10,"method":"tools/call","params":${params}}`;
  });

const line = fc.oneof(
  { weight: 8, arbitrary: bentCall.map((value) => bytesOf(written(value))) },
  { weight: 5, arbitrary: request.map((value) => bytesOf(written(value))) },
  { weight: 1, arbitrary: broken(request.map(written)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 1, arbitrary: json.map((value) => bytesOf(written(value))) },
  { weight: 1, arbitrary: fc.nat(20_000).map((depth) => bytesOf("[".repeat(depth))) },
  { weight: 1, arbitrary: deepCall.map(bytesOf) },
);
const send = bytesOf(written({ jsonrpc: "2.0", ...toolCall(30, "relay_send", { message: "one of many" }) }));
const flood = fc.oneof({ weight: 6, arbitrary: fc.constant(send) }, { weight: 1, arbitrary: line });
const attack = fc.oneof(
  { weight: 3, arbitrary: fc.array(line, { minLength: 1, maxLength: 40 }) },
  { weight: 1, arbitrary: fc.array(flood, { minLength: 20, maxLength: 40 }) },
);

/** What the servers answered; each answer is checked. */
class Answers {
  /** How often each kind of answer was given. */
  readonly kinds: Record<string, number> = {};
  /** The texts of the tools since the last attack. */
  texts: string[] = [];

  take(server: Server): void {
    for (const answer of server.lines.splice(0)) this.#judge(answer);
  }

  #judge(answer: Record<string, unknown>): void {
    // the SDK's schema knows no null, which JSON-RPC wants where there is no id
    const { success } = JSONRPCMessageSchema.safeParse({ ...answer, id: answer.id ?? undefined });
    expect([success, answer]).toEqual([true, answer]);
    expect(JSON.stringify(answer)).not.toMatch(/\bat [^"]*:\d+:\d+|node_modules|\$bunfs|call stack/);
    const { error, result } = answer as { error?: { code: number; message: string }; result?: Result };
    const text = result?.content?.[0]?.text ?? result?.messages?.[0]?.content.text;
    if (error) {
      // of parameters the SDK says as an internal error what its schema says of them
      const isSense = error.code === -32603 ? /"path": \[\s+"params"/.test(error.message) : error.message !== "";
      expect([error, isSense]).toEqual([error, true]);
      this.#count(`${error.code}`);
    }
    if (result?.isError) expect(text).toMatch(/^relay: .+$/);
    if (text === undefined) return;
    this.#count(result?.isError ? (/^relay: \w+ is/.exec(text)?.[0] ?? "another refusal") : kindOf(text));
    this.texts.push(text);
  }

  #count(kind: string): void {
    this.kinds[kind] = (this.kinds[kind] ?? 0) + 1;
  }
}

interface Result {
  isError?: boolean;
  content?: { text: string }[];
  messages?: { content: { text: string } }[];
}

function kindOf(text: string): string {
  if (text.startsWith('{"ok":true,"id":')) return text.includes('"evicted_unread":[]') ? "sent" : "sent, and dropped";
  if (text.startsWith('{"ok":true,"deleted":')) return text.includes('"deleted":0') ? "cleared nothing" : "cleared";
  return text.startsWith("relay: nothing") ? "nothing new" : "page";
}

/** What the fuzz is for: kinds of answers without which it would not have reached what it is to break. */
const reached = [
  ...["-32700", "-32600", "-32602", "sent", "sent, and dropped", "page", "nothing new", "cleared"],
  ...["relay: message is", "relay: sender is", "relay: limit is"],
];

/** Whether the message waits for its reader, or its reader is still to learn that it was dropped. */
function isKept(box: Sandbox, id: number, reader: Client): boolean {
  using db = openPatiently(box.buffer, { readonly: true });
  return (
    db
      .query(
        `SELECT 1 FROM messages WHERE id = $id AND read_by_${reader}_at IS NULL
         UNION SELECT 1 FROM relay_dropped WHERE message_id = $id AND reader = $reader`,
      )
      .get({ id, reader } as never) !== null
  );
}

test(
  "a server outlives any input, answers the next request, and loses no message",
  async () => {
    await using box = sandbox();
    const answers = new Answers();
    let id = 1_000_000_000;
    const open = async (client: Client) => {
      const server = await startSession(box, { args: ["--client", client, "--idle-timeout", "0"] });
      const send = async (message: string): Promise<number> => {
        server.send(toolCall(++id, "relay_send", { message }));
        const { content } = (await server.answer(id)).result as Result;
        return JSON.parse(content?.[0]?.text ?? "").id;
      };
      return { client, server, send };
    };
    let [one, other] = [await open("desktop"), await open("code")];

    const property = fc.asyncProperty(attack, async (lines) => {
      [one, other] = [other, one];
      const { server } = one;
      const text = `a message (${id})`;
      const sent = await one.send(text);
      const received = await other.send(text);
      const mayClear = lines.some((bytes) => Buffer.from(bytes).includes("relay_clear"));
      for (const bytes of lines) {
        server.write(bytes);
        server.write("\n");
      }
      server.send({ id: ++id, method: "ping" });
      expect(await server.answer(id)).toEqual({ jsonrpc: "2.0", id, result: {} });
      // only then has everything before had its turn; the answers may still be on their way
      server.send(toolCall(++id, "relay_fetch", { limit: 1 }));
      await server.answer(id);
      answers.texts = [];
      await until("each message waits, was shown, or was named as gone", () => {
        for (const side of [one, other]) answers.take(side.server);
        const isTold = answers.texts.some((page) => page.includes(text) || page.includes("left the window"));
        const isKnown = isTold || isKept(box, received, one.client) || mayClear;
        return isKept(box, sent, other.client) && isKnown;
      });
      for (const side of [one, other]) expect([side.server.child.exitCode, side.server.stderr()]).toEqual([null, ""]);
    });
    await assertFor(seconds, property);
    const missing = () => reached.filter((kind) => !(kind in answers.kinds));
    // on a busy machine there is time for few attacks
    for (let round = 0; round < 5 && missing().length > 0; round++) await assertFor(seconds, property);
    expect(missing()).toEqual([]);
  },
  seconds * 20_000 + 60_000,
);
