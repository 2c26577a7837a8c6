// Whatever a client or Claude Code may write into relay's standard input. Seeds of failures are printed and replayed.
import { expect, test } from "bun:test";
import { JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import fc from "fast-check";
import { get, sandbox, sendAll } from "./support/sandbox.ts";
import { type Server, startSession, toolCall } from "./support/server.ts";
import { openTypedSession } from "./support/typing.ts";

// As many as a minute allows on a busy machine; INPUTS=5000 looks further.
const inputs = Number(Bun.env.INPUTS ?? 100);

const json = fc.jsonValue({ maxDepth: 3 });
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A value with some of its parts, at any depth, replaced by something else. */
function bent(value: unknown): fc.Arbitrary<unknown> {
  const whole = { weight: 6, arbitrary: fc.constant(value) };
  const other = {
    weight: 1,
    arbitrary: fc.oneof(json, fc.constantFrom(Number.POSITIVE_INFINITY, -0, 2 ** 53, "\ud800", {}, [])),
  };
  if (typeof value !== "object" || value === null) return fc.oneof(whole, other);
  const parts = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, bent(part)]));
  const inside = { weight: 12, arbitrary: fc.record(parts, { requiredKeys: [] }) };
  const more = {
    weight: 1,
    arbitrary: fc.tuple(fc.string(), json).map(([key, part]) => ({ ...value, [key]: part })),
  };
  return fc.oneof(whole, other, inside, more);
}

/** A text cut off, or with a byte changed. */
function broken(text: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(text, fc.nat(), fc.nat(255), fc.boolean()).map(([whole, place, byte, cut]) => {
    const bytes = bytesOf(whole);
    const at = place % Math.max(1, bytes.length);
    if (cut) return bytes.slice(0, at);
    bytes[at] = byte;
    return bytes;
  });
}

const initialize = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "x", version: "1" },
};
const requests = [
  { jsonrpc: "2.0", id: 1, method: "initialize", params: initialize },
  { jsonrpc: "2.0", id: "a", method: "ping" },
  { jsonrpc: "2.0", id: 2, method: "tools/list", params: { cursor: "x", _meta: { progressToken: 1 } } },
  { jsonrpc: "2.0", ...toolCall(3, "relay_send", { message: "fuzz", sender: "desktop" }) },
  { jsonrpc: "2.0", ...toolCall(4, "relay_fetch", { limit: 3, reader: "desktop", unread_only: false }) },
  { jsonrpc: "2.0", id: 5, method: "prompts/list" },
  { jsonrpc: "2.0", id: 6, method: "prompts/get", params: { name: "get", arguments: {} } },
  { jsonrpc: "2.0", id: 7, method: "resources/read", params: { uri: "file:///etc/passwd" } },
  { jsonrpc: "2.0", id: 8, method: "tasks/get", params: { taskId: "x" } },
  { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 3, reason: "x" } },
  { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 2 } },
  { jsonrpc: "2.0", method: "notifications/initialized" },
  { jsonrpc: "2.0", id: 9, result: { ok: true } },
  { jsonrpc: "2.0", id: 9, error: { code: 1, message: "x" } },
];
const request = fc.constantFrom(...requests).chain(bent);
const line = fc.oneof(
  { weight: 8, arbitrary: request.map((value) => bytesOf(JSON.stringify(value) ?? "")) },
  { weight: 2, arbitrary: broken(request.map((value) => JSON.stringify(value) ?? "")) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 1, arbitrary: json.map((value) => bytesOf(JSON.stringify(value))) },
  { weight: 1, arbitrary: fc.nat(20_000).map((depth) => bytesOf("[".repeat(depth))) },
  {
    weight: 1,
    arbitrary: fc.nat(5_000).map((depth) => {
      const nested = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
      return bytesOf(
        `{"jsonrpc":"2.0","id":10,"method":"tools/call","params":{"name":"relay_send","arguments":${nested}}}`,
      );
    }),
  },
);

test(
  "a server outlives any input, answers the next request, and loses nobody's message",
  async () => {
    await using box = sandbox();
    const [waiting] = await sendAll(box, "code", ["somebody else's"]);
    const servers = await Promise.all(
      ["desktop", "code"].map((client) =>
        startSession(box, { args: ["--client", client, "--idle-timeout", "0"] }),
      ),
    );
    let id = 1_000_000_000;
    const evicted = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 20 }), async (lines) => {
        const [server] = servers as [Server];
        for (const bytes of lines) {
          server.write(bytes);
          server.write("\n");
        }
        server.send({ id: ++id, method: "ping" });
        expect(await server.answer(id)).toEqual({ jsonrpc: "2.0", id, result: {} });
        expect(server.child.exitCode).toBeNull();
        expect(server.stderr()).toBe("");
        for (const answer of server.lines.splice(0)) {
          const { success } = JSONRPCMessageSchema.safeParse(answer);
          expect([success, answer]).toEqual([true, answer]);
          const text = JSON.stringify(answer);
          expect(text).not.toMatch(/\bat [^"]*:\d+:\d+|node_modules|\$bunfs/);
          for (const gone of evictedUnread(answer)) evicted.add(gone);
        }
      }),
      { numRuns: inputs, endOnFailure: true },
    );
    const { messages } = await get(box, "code");
    const found = messages.some(({ id, message }) => id === waiting && message === "somebody else's");
    expect(found || evicted.has(waiting ?? 0)).toBe(true);
  },
  inputs * 10_000,
);

function evictedUnread(answer: Record<string, unknown>): number[] {
  const { content } = (answer.result ?? {}) as { content?: { text?: string }[] };
  const text = content?.[0]?.text ?? "";
  return text.startsWith('{"ok":true,"id":') ? JSON.parse(text).evicted_unread : [];
}

test(
  "a hook is silent whatever Claude Code may write, and mints no ticket for what is no typed command of relay's",
  async () => {
    await using box = sandbox();
    const session = openTypedSession(box);
    const event = JSON.parse(session.event("words"));
    const events = fc.oneof(
      { weight: 6, arbitrary: bent(event).map((value) => bytesOf(JSON.stringify(value) ?? "")) },
      { weight: 3, arbitrary: broken(fc.constant(JSON.stringify(event))) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    );
    await fc.assert(
      fc.asyncProperty(events, async (input) => {
        expect(await session.hook(input)).toEqual({ status: 0, stdout: "", stderr: "" });
        const typed = await session.typed();
        expect(typed.status).toBe(isTyped(input, event) ? 0 : 3);
        expect(`${typed.stdout}${typed.stderr}`).toMatch(/^relay: /);
      }),
      { numRuns: inputs, endOnFailure: true },
    );
  },
  inputs * 10_000,
);

/** Whether everything that makes a typed command is as it was. */
function isTyped(input: Uint8Array, event: Record<string, unknown>): boolean {
  try {
    const got = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(input));
    const decisive = ["session_id", "hook_event_name", "expansion_type", "command_name", "command_source"];
    const { command_args: words = "" } = got;
    return typeof words === "string" && decisive.every((name) => got[name] === event[name]);
  } catch {
    return false;
  }
}
