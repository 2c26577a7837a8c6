import { join } from "node:path";
import { windowSize } from "../../src/core/limits.ts";
import { toolCall } from "../support/server.ts";
import { openConversation } from "./conversation.ts";
import { bareInserts } from "./insert.ts";
import type { Lab } from "./lab.ts";
import { type Row, timedRow } from "./report.ts";
import { interleave } from "./samples.ts";

const text =
  "a message of a hundred bytes, which is about what one Claude asks the other in a sentence. ".padEnd(
    100,
    ".",
  );

// Half a window between two looks of the reader: nothing unread is ever evicted.
const sendsBetweenReads = windowSize / 2;

/** What becomes of the messages meanwhile: room is left, or the window is full of messages that were read, or unread. */
type Window = "room left" | "full, read" | "full, unread";

/** How long a model waits for the receipt of a send over stdio, compared with storing the message at all. */
export async function send(lab: Lab): Promise<Row[]> {
  const senders = await Promise.all([
    startSender(lab, "room left"),
    startSender(lab, "full, read"),
    startSender(lab, "full, unread"),
  ]);
  const [room, read, unread] = senders.map((sender) => sender.send);
  if (!room || !read || !unread) return [];
  const box = lab.home();
  const plain = bareInserts(join(box.home, "plain.db"));
  const evicting = bareInserts(join(box.home, "evicting.db"));
  const samples = await interleave(
    { warmUp: 2 * windowSize, rounds: 400 },
    {
      insert: () => timed(() => plain.insert(text)),
      evict: () => timed(() => evicting.insertAndEvict(text)),
      room,
      read,
      unread,
    },
  );
  plain.close();
  evicting.close();
  await Promise.all(senders.map((sender) => sender.close()));
  const floor = { name: "bare durable insert", samples: samples.insert };
  return [
    timedRow("relay_send, room left", samples.room, floor, 2),
    timedRow("relay_send, window full, read", samples.read, floor, 2),
    timedRow("relay_send, window full, unread", samples.unread, floor),
    timedRow("bare insert and eviction", samples.evict, floor),
  ];
}

/** A server that sends into a buffer of its own, which is put right between the sends, outside the time that counts. */
async function startSender(lab: Lab, window: Window) {
  const box = lab.home();
  const sender = await openConversation(box, "code");
  const reader = await openConversation(box, "desktop");
  let sent = 0;
  return {
    async send() {
      sent += 1;
      const begin = performance.now();
      await sender.ask(toolCall(sent, "relay_send", { message: text }));
      const took = performance.now() - begin;
      if (window !== "full, unread" && sent % sendsBetweenReads === 0) {
        await reader.ask(toolCall(sent, "relay_fetch", { limit: windowSize }));
        if (window === "room left") await reader.ask(toolCall(sent, "relay_clear"));
      }
      return took;
    },
    close: () => Promise.all([sender.close(), reader.close()]),
  };
}

function timed(work: () => void): number {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}
