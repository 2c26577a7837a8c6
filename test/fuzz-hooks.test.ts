// Anything that Claude Code may write into the standard input of the /get hook. Seeds of failures are printed.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { assertFor, bent, broken, bytesOf, written } from "./support/bent.ts";
import { sandbox } from "./support/sandbox.ts";
import { openTypedSession } from "./support/typing.ts";

// FUZZ_SECONDS=600 looks further
const seconds = Number(Bun.env.FUZZ_SECONDS ?? 5);

/** This event, changed or damaged. */
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
  "a typed command issues a ticket, and any other input issues none and prints nothing",
  async () => {
    await using box = sandbox();
    const session = openTypedSession(box);
    const event = JSON.parse(session.event("words"));
    let issued = 0;
    await assertFor(
      seconds,
      fc.asyncProperty(like(event), async (input) => {
        expect(await session.hook(input)).toEqual({ status: 0, stdout: "", stderr: "" });
        const typed = await session.typed();
        const got = parsed(input);
        const wanted = isTyped(got, event);
        if (wanted) issued++;
        // the arguments of a ticket are a message, and longer ones than 64 KB are refused
        expect(typed.status).toBe(!wanted ? 3 : isTooLong(got) ? 2 : 0);
        expect(`${typed.stdout}${typed.stderr}`).toMatch(/^relay: /);
      }),
    );
    expect(issued).toBeGreaterThan(0);
  },
  seconds * 10_000 + 60_000,
);

function isTooLong(got: unknown): boolean {
  return Buffer.byteLength((got as { command_args?: string }).command_args ?? "") > 65_536;
}

/** Whether all that makes a typed command is unchanged. */
function isTyped(got: unknown, event: Record<string, unknown>): boolean {
  if (typeof got !== "object" || got === null) return false;
  const { command_args: args = "", ...rest } = got as Record<string, unknown>;
  const decisive = ["session_id", "hook_event_name", "expansion_type", "command_name", "command_source"];
  return typeof args === "string" && decisive.every((name) => rest[name] === event[name]);
}
