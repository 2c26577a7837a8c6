import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { Actor, Clear, Fetch, Send } from "./history.ts";
import { nothingTold } from "./page.ts";
import type { OriginalAction } from "./plan.ts";
import type { World } from "./world.ts";

/** Whether there is a Python to run the original's statements. */
export const hasPython =
  Bun.spawnSync(["python3", "-c", "import sqlite3"], { stdio: ["ignore", "ignore", "ignore"] }).exitCode ===
  0;

// Facts about mcp-server-relay 1.2.4: its statements, its order of commits, its isolation level. Unlike the original it
// never makes the file, which would be a buffer that relay has yet to take over.
const driver = `
import json, os, sqlite3, sys
from datetime import datetime, timezone
from urllib.parse import quote

path = "file:" + quote(sys.argv[1]) + "?mode=rw"
column = {"desktop": "read_by_desktop_at", "code": "read_by_code_at"}

def now():
    return datetime.now(timezone.utc).isoformat()

def connect():
    db = sqlite3.connect(path, isolation_level="IMMEDIATE", timeout=5, uri=True)
    db.row_factory = sqlite3.Row
    return db

def send(db, sender, text):
    id = db.execute("INSERT INTO messages (sender, message, timestamp) VALUES (?, ?, ?)",
        (sender, text, now())).lastrowid
    db.execute("DELETE FROM messages WHERE id NOT IN (SELECT id FROM messages ORDER BY id DESC LIMIT ?)", (20,))
    db.commit()
    return id

def fetch(db, reader, limit):
    rows = db.execute("SELECT id, sender, message, timestamp, read_by_desktop_at, read_by_code_at FROM messages"
        f" WHERE {column[reader]} IS NULL AND sender != ? ORDER BY id DESC LIMIT ?", (reader, limit)).fetchall()
    if rows:
        marks = ",".join("?" * len(rows))
        db.execute(f"UPDATE messages SET {column[reader]} = ? WHERE id IN ({marks}) AND {column[reader]} IS NULL",
            [now()] + [row["id"] for row in rows])
        db.commit()
    return [dict(row) for row in reversed(rows)]

def clear(db):
    deleted = db.execute("DELETE FROM messages").rowcount
    db.commit()
    return deleted

for line in sys.stdin:
    verb, *rest = json.loads(line)
    try:
        db = connect()
        try:
            with db:
                answer = {"done": globals()[verb](db, *rest)}
        finally:
            db.close()
    except sqlite3.Error as error:
        answer = {"failed": str(error)}
    print(json.dumps(answer), flush=True)
`;

type Python = Subprocess<"pipe", "pipe", "ignore">;
type Reply = { done: unknown } | { failed: string } | null;

/** Does what the original does, in one process, until the round is over. */
export async function originalLane(
  world: World,
  plan: Iterator<OriginalAction, never>,
  pause: () => number,
): Promise<void> {
  const file = join(world.place.folder, "original.py");
  if (!existsSync(file)) writeFileSync(file, driver);
  const child: Python = Bun.spawn(["python3", "-I", file, world.place.buffer], {
    env: world.place.env,
    cwd: world.place.folder,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const never = Number.POSITIVE_INFINITY;
  const actor: Actor = {
    name: "the original",
    pid: child.pid,
    killed: never,
    asked: never,
    died: never,
    stops: [],
  };
  const replies = lines(child.stdout);
  const ask = async (...call: unknown[]): Promise<Reply> => {
    child.stdin.write(`${JSON.stringify(call)}\n`);
    child.stdin.flush();
    const { value } = await replies.next();
    return value === undefined ? null : JSON.parse(value);
  };
  while (world.running) {
    await act(world, actor, plan.next().value, ask);
    await Bun.sleep(pause());
  }
  child.stdin.end();
  await child.exited;
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  return undefined;
}

async function act(
  world: World,
  actor: Actor,
  action: OriginalAction,
  ask: (...call: unknown[]) => Promise<Reply>,
): Promise<void> {
  const { history } = world;
  const asked = {
    from: world.now(),
    to: Number.POSITIVE_INFINITY,
    actor,
    how: "original" as const,
    cancelled: false,
    refused: null,
  };
  world.count("statements of the original");
  if (action.kind === "send") {
    const { token, text } = world.compose(action.draft);
    const { sender } = action;
    const record: Send = { ...asked, token, text, sender, muted: false, receipt: null, told: null };
    history.sends.push(record);
    const id = await ask("send", sender, text);
    record.to = world.now();
    if (id && "done" in id)
      record.receipt = { id: Number(id.done), unread: 1, evicted: [], evicted_unread: [] };
  } else if (action.kind === "fetch") {
    const { reader, limit } = action;
    const confirmed = Number.POSITIVE_INFINITY;
    const record: Fetch = {
      ...asked,
      reader,
      limit,
      marks: true,
      page: null,
      confirmed,
      released: confirmed,
    };
    history.fetches.push(record);
    const reply = await ask("fetch", reader, limit);
    record.to = world.now();
    if (!reply || !("done" in reply)) return;
    const rows = reply.done as { id: number; sender: string; message: string }[];
    const shown = rows.map(({ message, ...row }) => ({ ...row, text: message, fresh: true, maybe: false }));
    record.page = { shown, told: nothingTold, exact: true };
    record.confirmed = record.to;
  } else {
    const record: Clear = { ...asked, by: null, done: false };
    history.clears.push(record);
    const reply = await ask("clear");
    record.to = world.now();
    record.done = reply !== null && "done" in reply;
  }
}
