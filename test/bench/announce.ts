import type { Database } from "bun:sqlite";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPatiently } from "../support/database.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { toolCall } from "../support/server.ts";
import { type Conversation, openConversation } from "./conversation.ts";
import type { Lab } from "./lab.ts";
import { type Row, timedRow } from "./report.ts";
import { interleave } from "./samples.ts";

// The most that may pass from a send to its notifier, in milliseconds.
const goal = 20;

/** How long it takes from a send until the notifier runs, compared with starting that notifier by hand. */
export async function announce(lab: Lab): Promise<Row[]> {
  const box = lab.home();
  const record = join(box.home, "started");
  const notifier = recordingNotifier(box, record);
  const sender = await openConversation(box, "code");
  await sender.ask(toolCall(1, "relay_send", { message: "makes the buffer" }));
  await startedAt(record);
  using buffer = openPatiently(box.buffer);
  let id = 1;
  const send = async (count: number) => {
    await forget(buffer, record);
    const begin = now();
    await Promise.all(Array.from({ length: count }, () => ask(sender, ++id)));
    return (await startedAt(record)) - begin;
  };
  const samples = await interleave(
    { warmUp: 5, rounds: 100 },
    {
      bare: async () => {
        await forget(buffer, record);
        const begin = now();
        Bun.spawn(["/usr/bin/timeout", "-s", "KILL", "3", notifier], {
          env: box.env,
          stdio: ["ignore", "ignore", "ignore"],
        });
        return (await startedAt(record)) - begin;
      },
      one: () => send(1),
      twenty: () => send(20),
    },
  );
  await sender.close();
  const floor = { name: "starting that notifier with timeout(1)", samples: samples.bare };
  return [
    { ...timedRow("send to notifier started", samples.one, floor), goal: { value: goal } },
    { ...timedRow("twenty sends at once to notifier started", samples.twenty, floor), goal: { value: goal } },
  ];
}

function ask(sender: Conversation, id: number): Promise<unknown> {
  return sender.ask(toolCall(id, "relay_send", { message: "a message" }));
}

/** Puts a notify-send into the sandbox that writes down when it began to run. */
function recordingNotifier(box: Sandbox, record: string): string {
  const path = join(box.programs, "notify-send");
  writeFileSync(
    path,
    `#!/bin/bash\necho $EPOCHREALTIME >'${record}.part' && mv '${record}.part' '${record}'\n`,
    { mode: 0o755 },
  );
  return path;
}

/** Ends the reader's cooldown, and whatever the last sample left to be announced. */
async function forget(buffer: Database, record: string): Promise<void> {
  await Bun.sleep(50);
  buffer.run("UPDATE messages SET notified_at = timestamp WHERE notified_at IS NULL");
  buffer.run("UPDATE relay_clients SET notification_leased_at = NULL");
  rmSync(record, { force: true });
}

async function startedAt(record: string): Promise<number> {
  while (!existsSync(record)) await Bun.sleep(1);
  return Number(readFileSync(record, "utf8").replace(",", ".")) * 1000;
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
