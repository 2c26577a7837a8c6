import { type Sandbox, sendAll } from "../support/sandbox.ts";
import { openTypedSession } from "../support/typing.ts";
import { converse } from "./conversation.ts";
import type { Lab } from "./lab.ts";
import { interleave, timed } from "./samples.ts";
import { type Row, timedRow } from "./table.ts";

/**
 * How long a Claude waits for its server, from the spawn to the answer to `initialize`; and a person, or the Claude
 * Code that calls them, for commands, from the spawn to the exit.
 */
export async function start(lab: Lab): Promise<Row[]> {
  const hello = await lab.floor(import.meta.resolve("./hello.ts"));
  const empty = lab.home();
  const box = lab.home();
  await sendAll(box, "code", ["one", "two", "three"]);
  const session = openTypedSession(box);
  const read = lab.home();
  await sendAll(read, "desktop", ["one", "two", "three"]);
  const idle = openTypedSession(read);
  const succeeds = (run: () => ReturnType<Sandbox["run"]>) =>
    timed(async () => {
      const { status, stderr } = await run();
      if (status !== 0) throw new Error(stderr);
    });
  const samples = await interleave(lab.rounds, {
    output: () => timed(() => firstOutput(hello, empty)),
    initialize: () => initializeAnswered(empty),
    exit: () => succeeds(() => box.run([hello])),
    status: () => succeeds(() => box.relay(["status"])),
    send: () => succeeds(() => box.relay(["send", "--to", "code", "x"])),
    get: () => succeeds(() => box.relay(["get", "--for", "code", "--json"])),
    statusline: () => succeeds(() => box.relay(["statusline"])),
    greeting: () => succeeds(() => box.relay(["hook", "session-start"], { env: session.env })),
    refused: () => succeeds(() => session.hook(session.event("", { command_source: "projectSettings" }))),
    nothing: () => succeeds(() => idle.hook(idle.event())),
    ticket: () => succeeds(() => session.hook(session.event())),
    async page() {
      await sendAll(box, "code", ["a message of a few words"]);
      await session.hook(session.event());
      return succeeds(() => session.typed());
    },
  });
  const output = { name: "hello world, spawn to first output", samples: samples.output };
  const exit = { name: "hello world, spawn to exit", samples: samples.exit };
  return [
    timedRow("spawn to initialize answered", samples.initialize, output, 4.5),
    timedRow("relay status", samples.status, exit, 1.8),
    timedRow("relay send --to code x", samples.send, exit),
    timedRow("relay get --for code --json", samples.get, exit),
    timedRow("relay statusline", samples.statusline, exit, 1.8),
    timedRow("relay hook session-start", samples.greeting, exit, 1.8),
    timedRow("relay hook, no ticket", samples.refused, exit, 1.8),
    timedRow("relay hook, nothing waits", samples.nothing, exit, 2.2),
    timedRow("relay hook, a page and its summary", samples.ticket, exit, 4),
    timedRow("relay typed, a page", samples.page, exit, 2.8),
  ];
}

async function initializeAnswered(box: Sandbox): Promise<number> {
  const begin = performance.now();
  const server = await converse(box, "code");
  const took = performance.now() - begin;
  await server.close();
  return took;
}

async function firstOutput(program: string, { env, home }: Sandbox): Promise<void> {
  const child = Bun.spawn([program], { env, cwd: home, stdin: "pipe", stdout: "pipe", stderr: "ignore" });
  await child.stdout.getReader().read();
}
