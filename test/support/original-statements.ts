import type { Subprocess } from "bun";
import { readLines } from "./lines.ts";

/** Whether there is a Python to run the original's statements. */
export const hasPython =
  Bun.spawnSync(["python3", "-c", "import sqlite3"], { stdio: ["ignore", "ignore", "ignore"] }).exitCode === 0;

/**
 * Facts about mcp-server-relay 1.2.4, as Python: its statements, its order of commits, its isolation level.
 * before-after.test.ts compares them with the original's own. Wants `connect`, which opens the file. Unlike the original
 * nothing but `init` is to make the file, which would be a buffer that relay has yet to take over.
 */
export const originalStatements = `
import sqlite3
from datetime import datetime, timezone

column = {"desktop": "read_by_desktop_at", "code": "read_by_code_at"}

def now():
    return datetime.now(timezone.utc).isoformat()

def init(db):
    db.execute("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL,"
        " message TEXT NOT NULL, timestamp TEXT NOT NULL, read_by_desktop_at TEXT, read_by_code_at TEXT)")
    for name in column.values():
        try:
            db.execute(f"ALTER TABLE messages ADD COLUMN {name} TEXT")
        except sqlite3.OperationalError:
            pass
    db.commit()

def send(db, sender, text, timestamp=None):
    id = db.execute("INSERT INTO messages (sender, message, timestamp) VALUES (?, ?, ?)",
        (sender, text, timestamp or now())).lastrowid
    db.execute("DELETE FROM messages WHERE id NOT IN (SELECT id FROM messages ORDER BY id DESC LIMIT ?)", (20,))
    db.commit()
    return id

def fetch(db, reader, limit):
    rows = db.execute("SELECT id, sender, message, timestamp, read_by_desktop_at, read_by_code_at"
        f" FROM messages WHERE {column[reader]} IS NULL ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
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
`;

// What the original did not do, or not on purpose.
const others = `
import json, os, sys
from urllib.parse import quote

def early_init(db):
    db.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL,"
        " message TEXT NOT NULL, timestamp TEXT NOT NULL)")

def die_while_writing(db):
    db.execute("PRAGMA cache_size = 2")
    db.execute("INSERT INTO messages (sender, message, timestamp) VALUES ('desktop', 'torn', '')")
    for n in range(50):
        db.execute("INSERT INTO messages (sender, message, timestamp) VALUES ('desktop', ?, '')", ("torn" * 5000,))
    os._exit(0)

def connect(mode):
    db = sqlite3.connect("file:" + quote(sys.argv[1]) + "?mode=" + mode, isolation_level="IMMEDIATE", uri=True)
    db.row_factory = sqlite3.Row
    return db

for line in sys.stdin:
    verb, *rest = json.loads(line)
    try:
        db = connect("rwc" if verb.endswith("init") else "rw")
        try:
            with db:
                answer = {"done": globals()[verb](db, *rest)}
        finally:
            db.close()
    except sqlite3.Error as error:
        answer = {"failed": str(error)}
    print(json.dumps(answer), flush=True)
`;

/** A message as the original's fetch gives it. */
export interface OriginalRow {
  id: number;
  sender: "desktop" | "code";
  message: string;
}

/** What came of a statement; null if the process died of it. */
type Reply = { done: unknown } | { failed: string } | null;

/** A process that does what the original does, one thing after the other. */
export interface OriginalProcess {
  pid: number;
  ask(verb: string, ...args: unknown[]): Promise<Reply>;
  end(): Promise<void>;
}

/** Starts one on this file. */
export function startOriginal(buffer: string, options: { env: Record<string, string>; cwd: string }): OriginalProcess {
  const child: Subprocess<"pipe", "pipe", "inherit"> = Bun.spawn(
    ["python3", "-I", "-c", originalStatements + others, buffer],
    { ...options, stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  const replies = readLines(child.stdout);
  return {
    pid: child.pid,
    async ask(...call) {
      child.stdin.write(`${JSON.stringify(call)}\n`);
      child.stdin.flush();
      const { value } = await replies.next();
      return value === undefined ? null : JSON.parse(value);
    },
    async end() {
      child.stdin.end();
      await child.exited;
    },
  };
}
