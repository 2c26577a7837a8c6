import { Database } from "bun:sqlite";
import { join } from "node:path";
import { converse } from "./conversation.ts";
import type { Lab } from "./lab.ts";
import { interleave, timed } from "./samples.ts";
import { type Row, timedRow } from "./table.ts";

// As many messages as the buffer keeps: design.md, "The window".
const windowSize = 20;

// About what one Claude asks the other in a sentence.
const message = "a message of a hundred bytes".padEnd(100, ".");

/** What becomes of the messages meanwhile: room is left, or the window is full of messages that were read, or unread. */
type Window = "room left" | "full, read" | "full, unread";

/** How long a model waits for the receipt of a send over stdio, compared with storing the message at all. */
export async function send(lab: Lab): Promise<Row[]> {
  const room = await startSender(lab, "room left");
  const read = await startSender(lab, "full, read");
  const unread = await startSender(lab, "full, unread");
  const insert = bareInsert(join(lab.home().home, "plain.db"), false);
  const evict = bareInsert(join(lab.home().home, "evicting.db"), true);
  // a durable write takes a few milliseconds, but twenty when the disk is busy, which only many samples even out
  const samples = await interleave(4 * lab.rounds, {
    insert: () => timed(insert),
    evict: () => timed(evict),
    room,
    read,
    unread,
  });
  const floor = { name: "bare durable insert", samples: samples.insert };
  return [
    timedRow("relay_send, room left", samples.room, floor, 1.4),
    timedRow("relay_send, window full, read", samples.read, floor, 1.4),
    timedRow("relay_send, window full, unread", samples.unread, floor),
    timedRow("bare insert and eviction", samples.evict, floor),
  ];
}

/** Takes samples of a server that sends into a buffer of its own, which is tidied between them, and not on time. */
async function startSender(lab: Lab, window: Window): Promise<() => Promise<number>> {
  const box = lab.home();
  const sender = await converse(box, "code");
  const reader = await converse(box, "desktop");
  let sent = 0;
  const take = async () => {
    const took = await timed(() => sender.call("relay_send", { message }));
    sent += 1;
    // twice in a window, so that nothing unread is evicted
    if (window !== "full, unread" && sent % (windowSize / 2) === 0) {
      await reader.call("relay_fetch", { limit: windowSize });
      if (window === "room left") await reader.call("relay_clear");
    }
    return took;
  };
  for (let count = 0; count < 2 * windowSize; count++) await take();
  return take;
}

/**
 * The least that a durable send can be: a transaction that stores a row in the original's table, and may delete the
 * oldest beyond the window, with relay's pragmas and nothing else. Creates the file at `path`.
 */
export function bareInsert(path: string, evicts: boolean, text = message): () => void {
  const db = new Database(path, { create: true, strict: true });
  db.run(`PRAGMA journal_mode = TRUNCATE;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA secure_delete = ON;
    CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, message TEXT NOT NULL,
      timestamp TEXT NOT NULL, read_by_desktop_at TEXT, read_by_code_at TEXT)`);
  const store = db.query("INSERT INTO messages (sender, message, timestamp) VALUES ('code', $message, $now)");
  const evict = db.query(`DELETE FROM messages WHERE id <= last_insert_rowid() - ${windowSize}`);
  return () => {
    db.run("BEGIN IMMEDIATE");
    store.run({ message: text, now: new Date().toISOString() });
    if (evicts) evict.run();
    db.run("COMMIT");
  };
}
