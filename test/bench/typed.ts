import { type Sandbox, sendAll } from "../support/sandbox.ts";
import { openTypedSession, type TypedSession } from "../support/typing.ts";
import type { Lab } from "./lab.ts";
import { type Row, timedRow } from "./report.ts";
import { interleave } from "./samples.ts";

/** How long the person's prompt is held up by what Claude Code calls, from the spawn to the exit. */
export async function typed(lab: Lab): Promise<Row[]> {
  const box = lab.home();
  const hello = await lab.floor(import.meta.resolve("./hello.ts"));
  const session = openTypedSession(box);
  await sendAll(box, "code", ["one", "two"]);
  const samples = await interleave(
    { warmUp: 5, rounds: 100 },
    {
      hello: () => timed(() => box.run([hello])),
      statusline: () => timed(() => box.relay(["statusline"])),
      start: () => timed(() => box.relay(["hook", "session-start"])),
      refused: () => timed(() => session.hook(session.event("", { command_source: "projectSettings" }))),
      ticket: () => timed(() => session.hook(session.event())),
      page: () => timedPage(box, session),
    },
  );
  const floor = { name: "hello world, spawn to exit", samples: samples.hello };
  return [
    timedRow("relay statusline", samples.statusline, floor, 2),
    timedRow("relay hook session-start", samples.start, floor, 2),
    timedRow("relay hook, no ticket", samples.refused, floor, 2),
    timedRow("relay hook, a ticket", samples.ticket, floor, 3),
    timedRow("relay typed, a page", samples.page, floor, 3),
  ];
}

async function timedPage(box: Sandbox, session: TypedSession): Promise<number> {
  await sendAll(box, "code", ["a message of a few words"]);
  await session.hook(session.event());
  return timed(() => session.typed());
}

async function timed(work: () => Promise<{ status: number | null; stderr: string }>): Promise<number> {
  const begin = performance.now();
  const { status, stderr } = await work();
  const took = performance.now() - begin;
  if (status !== 0) throw new Error(stderr);
  return took;
}
