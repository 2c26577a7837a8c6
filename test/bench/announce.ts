import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "../support/sandbox.ts";
import { converse } from "./conversation.ts";
import type { Lab } from "./lab.ts";
import { interleave } from "./samples.ts";
import { type Row, timedRow } from "./table.ts";

/** How long it takes from a send until the notifier runs, compared with starting that notifier by hand. */
export async function announce(lab: Lab): Promise<Row[]> {
  const box = lab.home();
  const { notifier, untilStarted } = recordNotifier(box);
  // Desktop is told of nothing more for two seconds, so each sample has a buffer of its own, and a server that has
  // started the notifier once, for Code
  const send = async (count: number) => {
    const buffer = `${crypto.randomUUID()}.db`;
    const server = await converse(box, null, buffer);
    const from = (sender: string) => () => server.call("relay_send", { sender, message: "a message" });
    await untilStarted(from("desktop"));
    const took = await untilStarted(() => Promise.all(Array.from({ length: count }, from("code"))));
    await server.close();
    rmSync(join(box.home, buffer));
    return took;
  };
  const samples = await interleave(lab.rounds, {
    bare: () =>
      untilStarted(() => {
        const argv = ["/usr/bin/timeout", "-s", "KILL", "3", notifier];
        Bun.spawn(argv, { env: box.env, stdio: ["ignore", "ignore", "ignore"] });
      }),
    one: () => send(1),
    twenty: () => send(20),
  });
  const floor = { name: "starting that notifier with timeout(1)", samples: samples.bare };
  const goal = { value: 20 };
  return [
    { ...timedRow("send to notifier started", samples.one, floor), goal },
    { ...timedRow("twenty sends at once to notifier started", samples.twenty, floor), goal },
  ];
}

/** A `notify-send` of the sandbox that writes down when it began to run, and how long that took from the beginning of some work. */
export function recordNotifier(box: Sandbox) {
  const record = join(box.home, "started");
  const notifier = join(box.programs, "notify-send");
  const script = `#!/bin/bash\necho $EPOCHREALTIME >'${record}.part' && mv '${record}.part' '${record}'\n`;
  writeFileSync(notifier, script, { mode: 0o755 });
  const untilStarted = async (work: () => unknown) => {
    rmSync(record, { force: true });
    const begin = performance.timeOrigin + performance.now();
    await work();
    while (!existsSync(record)) await Bun.sleep(1);
    return Number(readFileSync(record, "utf8").replace(",", ".")) * 1000 - begin;
  };
  return { notifier, untilStarted };
}
