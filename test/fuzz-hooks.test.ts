// Whatever Claude Code may write into a hook's standard input. Seeds of failures are printed.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { assertFor, bent, broken, bytesOf, written } from "./support/bent.ts";
import { sandbox } from "./support/sandbox.ts";
import { openTypedSession } from "./support/typing.ts";

// FUZZ_SECONDS=600 looks further
const seconds = Number(Bun.env.FUZZ_SECONDS ?? 8);
const limit = seconds * 10_000 + 60_000;

/** This event, or what is left of it. */
function like(event: object): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 6, arbitrary: bent(event).map((value) => bytesOf(written(value))) },
    { weight: 3, arbitrary: broken(fc.constant(JSON.stringify(event))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    { weight: 1, arbitrary: fc.nat(20_000).map((depth) => bytesOf(`{"tool_input":${"[".repeat(depth)}`)) },
  );
}

function parsed(input: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(input));
  } catch {
    return null;
  }
}

test(
  "a typed command mints a ticket, and whatever else is written mints none and prints nothing",
  async () => {
    await using box = sandbox();
    const session = openTypedSession(box);
    const event = JSON.parse(session.event("words"));
    let minted = 0;
    await assertFor(
      seconds,
      fc.asyncProperty(like(event), async (input) => {
        expect(await session.hook(input)).toEqual({ status: 0, stdout: "", stderr: "" });
        const typed = await session.typed();
        const got = parsed(input);
        const wanted = isTyped(got, event);
        if (wanted) minted++;
        // the words of a ticket are a message, and longer ones than 64 KB are refused
        expect(typed.status).toBe(!wanted ? 3 : isTooLong(got) ? 2 : 0);
        expect(`${typed.stdout}${typed.stderr}`).toMatch(/^relay: /);
      }),
    );
    expect(minted).toBeGreaterThan(0);
  },
  limit,
);

function isTooLong(got: unknown): boolean {
  return Buffer.byteLength((got as { command_args?: string }).command_args ?? "") > 65_536;
}

/** Whether everything that makes a typed command is as it was. */
function isTyped(got: unknown, event: Record<string, unknown>): boolean {
  if (typeof got !== "object" || got === null) return false;
  const { command_args: words = "", ...rest } = got as Record<string, unknown>;
  const decisive = ["session_id", "hook_event_name", "expansion_type", "command_name", "command_source"];
  return typeof words === "string" && decisive.every((name) => rest[name] === event[name]);
}

test(
  "a tool that would touch the buffer is denied, whatever else is written about it, and no other is",
  async () => {
    await using box = sandbox();
    const session = openTypedSession(box);
    const tools = [
      { tool_name: "Bash", tool_input: { command: "cat ~/.relay_buffer.db", timeout: 5 } },
      { tool_name: "Read", tool_input: { file_path: box.buffer, offset: 1 } },
      { tool_name: "Write", tool_input: { files: [{ path: "x" }, { path: `${box.buffer}-journal` }] } },
      { tool_name: "Bash", tool_input: { command: "ls" } },
    ].map((tool) => ({ session_id: "x", hook_event_name: "PreToolUse", ...tool }));
    let denied = 0;
    await assertFor(
      seconds,
      fc.asyncProperty(fc.constantFrom(...tools).chain(like), async (input) => {
        const { status, stdout, stderr } = await session.hook(input, {}, "pre-tool-use");
        expect([status, stderr]).toEqual([0, ""]);
        const event = parsed(input);
        if (!names(event !== null && typeof event === "object" ? Object(event).tool_input : null))
          return expect(stdout).toBe("");
        denied++;
        expect(JSON.parse(stdout).hookSpecificOutput).toMatchObject({
          hookEventName: "PreToolUse",
          permissionDecision: "deny",
        });
      }),
    );
    expect(denied).toBeGreaterThan(0);
  },
  limit,
);

/** Whether the buffer is named anywhere in it. */
function names(value: unknown): boolean {
  if (typeof value === "string") return value.includes(".relay_buffer.db");
  return typeof value === "object" && value !== null && Object.entries(value).flat().some(names);
}

test(
  "the start of a session tells how many wait, whatever is written",
  async () => {
    await using box = sandbox();
    const session = openTypedSession(box);
    await box.relay(["send", "--to", "code", "x"]);
    const event = { session_id: "x", hook_event_name: "SessionStart", source: "startup" };
    await assertFor(
      seconds / 4,
      fc.asyncProperty(like(event), async (input) => {
        const { status, stdout, stderr } = await session.hook(input, {}, "session-start");
        expect([status, stderr]).toEqual([0, ""]);
        expect(JSON.parse(stdout)).toEqual({
          systemMessage: expect.stringContaining("1 message from Desktop"),
        });
      }),
    );
  },
  limit,
);
