// What becomes of a command whose page is given to somebody else, or whose notifier hangs. design.md, "The five promises".
import { describe, expect, test } from "bun:test";
import type { Command } from "../src/cli/command.ts";
import type { Context } from "../src/cli/context.ts";
import { command as getCommand } from "../src/cli/get.ts";
import { command as typedCommand } from "../src/cli/typed.ts";
import { RelayError } from "../src/core/errors.ts";
import { createRelay, type Relay } from "../src/core/relay.ts";
import { readEnvironment } from "../src/platform/environment.ts";
import { sqliteBuffer } from "../src/store/sqlite-store.ts";
import { fakeNotifier } from "./support/notifier.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";

const session = { id: "session", process: 1 };

function setUp(box: Sandbox) {
  const clock = { time: 1_000_000, now: () => clock.time, elapsed: () => performance.now() };
  const buffer = sqliteBuffer(() => box.buffer, clock);
  box.defer(() => buffer.close());
  const notifier = fakeNotifier();
  return { clock, notifier, relay: createRelay({ buffer, clock, notifier, muted: () => false }) };
}

/** Runs a command with this relay, and answers what it printed. */
async function run(command: Command, relay: Relay, args: Record<string, string> = {}): Promise<string[]> {
  const printed: string[] = [];
  const print = (text: string) => void printed.push(text);
  const data: Context = {
    environment: readEnvironment({ CLAUDE_CODE_SESSION_ID: session.id, CLAUDE_PID: `${session.process}` }),
    relay: () => relay,
    quickRelay: () => relay,
    begin(text) {
      print(text);
      return { taken: true, finished: Promise.resolve() };
    },
    print,
    note: print,
    style: (_output, _style, text) => text,
  };
  await command.run({ args, rest: [], data, verbs: {} });
  return printed;
}

describe("a page that went to another reader while the command stood still is not shown, and it says so", () => {
  test.each([
    ["relay get", getCommand, "Run it again."],
    ["relay typed", typedCommand, "Type /get once more."],
  ] as [string, Command, string][])("%s", async (_name, command, fix) => {
    await using box = sandbox();
    const { clock, relay } = setUp(box);
    await relay.send({ sender: "desktop", message: "x" });
    await relay.mint(session, "");
    const fetch: Relay["fetch"] = async (request) => {
      const fetched = await relay.fetch(request);
      clock.time += 5_000;
      expect((await relay.fetch(request)).page.messages).toMatchObject([{ id: 1 }]);
      return fetched;
    };
    const sentence = `this page went to another reader, because this command stood still for too long. ${fix}`;
    const ran = run(command, { ...relay, fetch }, { for: "code" });
    expect(await ran.catch((error) => error)).toEqual(new RelayError("failed", sentence));
  });
});

test("/get with words waits a second at the most for a notifier", async () => {
  await using box = sandbox();
  const { notifier, relay } = setUp(box);
  notifier.outcome = new Promise(() => {});
  await relay.mint(session, "some words");
  const before = performance.now();
  const ran = await Promise.race([run(typedCommand, relay), Bun.sleep(10_000)]);
  expect(ran).toEqual([expect.stringMatching(/^relay: sent to Desktop as message 1/)]);
  expect(performance.now() - before).toBeGreaterThan(990);
  expect([notifier.shown.length, notifier.stopped]).toEqual([1, true]);
});
