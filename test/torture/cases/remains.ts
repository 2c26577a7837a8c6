import { Database } from "bun:sqlite";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  judgeAnnounced,
  judgeAtOnce,
  judgeEnded,
  judgeIntegrity,
  judgeRemains,
  unannounced,
} from "../judge/remains.ts";
import type { Place } from "../place.ts";
import type { Scene } from "../scene.ts";
import type { Row } from "../settle.ts";
import { casesOf } from "./case.ts";

/** A folder with a file as a round leaves it, or with this in it. */
interface Left {
  /** What is done to the file; null if there is none. */
  statement?: string | null;
  table?: boolean;
  mode?: number;
  beside?: string;
}

const schema = `CREATE TABLE messages (id INTEGER PRIMARY KEY, sender TEXT, read_by_desktop_at TEXT, read_by_code_at TEXT);
INSERT INTO messages VALUES (1, 'code', 'then', NULL);`;

const losses = "CREATE TABLE relay_losses (audience TEXT)";

function judgeFolder({ world }: Scene, left: Left, judge: (scene: Scene["world"]) => void): void {
  const { statement = "", table = true, mode = 0o600, beside } = left;
  const home = mkdtempSync(join(tmpdir(), "relay-judged-"));
  try {
    const buffer = join(home, ".relay_buffer.db");
    if (statement !== null) fill(buffer, `${schema} ${table ? losses : ""}; ${statement}`);
    if (statement !== null) chmodSync(buffer, mode);
    if (beside) writeFileSync(join(home, beside), "");
    world.place = { home, buffer } as Place;
    judge(world);
  } finally {
    rmSync(home, { recursive: true });
  }
}

function fill(path: string, statements: string): void {
  using db = new Database(path);
  db.run(statements);
}

const manyMessages = `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 21)
  INSERT INTO messages SELECT i, 'code', 'then', NULL FROM n`;

export const remainCases = [
  ...casesOf("PRAGMA integrity_check is ok", {
    play: (scene, left: Left) => judgeFolder(scene, left, judgeRemains),
    breaks: {
      "a row is not what its table says": {
        statement: `CREATE TABLE other (id CHECK (id > 0)); PRAGMA ignore_check_constraints = ON;
          INSERT INTO other VALUES (0)`,
      },
    },
    keeps: { "nothing is wrong": {}, "there is no file": { statement: null } },
  }),

  ...casesOf("PRAGMA integrity_check is ok", {
    play: (scene, text: string) =>
      judgeFolder(scene, { statement: null }, (world) => {
        const path = join(world.place.home, "away-1");
        writeFileSync(path, text);
        judgeIntegrity(world, path);
      }),
    breaks: { "a file that was renamed is none of SQLite's": "x".repeat(4_096) },
    keeps: { "a file that was renamed is empty": "" },
  }),

  ...casesOf("the file is the person's alone", {
    play: (scene, left: Left) => judgeFolder(scene, left, judgeRemains),
    breaks: { "others may read it": { mode: 0o644 } },
    keeps: { "the person may read and write it": { mode: 0o600 } },
  }),

  ...casesOf("nothing is left over", {
    play: (scene, left: Left) => judgeFolder(scene, left, judgeRemains),
    breaks: {
      "there are 21 messages": { statement: manyMessages },
      "a message for Code is unread": { statement: "INSERT INTO messages VALUES (2, 'desktop', NULL, NULL)" },
      "a message for Desktop is unread": {
        statement: "INSERT INTO messages VALUES (2, 'code', NULL, 'then')",
      },
      "a loss is untold": { statement: "INSERT INTO relay_losses VALUES ('code')" },
    },
    keeps: {
      "all was read": { statement: "INSERT INTO messages VALUES (2, 'desktop', NULL, 'then')" },
      "what is left is no loss for a client": { statement: "INSERT INTO relay_losses VALUES ('arrived')" },
    },
  }),

  ...casesOf("no file is left", {
    play: (scene, left: Left) => judgeFolder(scene, left, judgeRemains),
    breaks: {
      "a file lies beside the buffer": { beside: ".relay_buffer.db-wal" },
      "a file lies there, and no buffer": { beside: "filler", statement: null },
      "a file lies beside a buffer that has no losses yet": { beside: "filler", table: false },
    },
    keeps: {
      "the journal lies beside the buffer": { beside: ".relay_buffer.db-journal" },
      "a buffer that was renamed lies there": { beside: "away-0-1" },
    },
  }),

  ...casesOf("no process is left", {
    play: (scene, running: string[]) => judgeEnded(scene.world, running),
    breaks: { "one runs": ["4711: relay serve"] },
    keeps: { "none runs": [] },
  }),

  ...casesOf("each message is announced", {
    play(scene, row: Partial<Row>) {
      const send = scene.send();
      const whole = {
        id: 1,
        sender: "code",
        message: send.text,
        notified_at: null,
        leased: 0,
        notify_tries: 0,
        read: 0,
        maybe_shown: 0,
      };
      judgeAnnounced(scene.world, unannounced([{ ...whole, ...row }]));
      scene.page([send]);
    },
    breaks: { "nobody tried": {}, "one try failed": { notify_tries: 1 } },
    keeps: {
      "somebody did": { notified_at: "2026-11-25T04:00:00Z", notify_tries: 1 },
      "two tries failed": { notify_tries: 2 },
      "it was read": { read: 1 },
    },
  }),

  ...casesOf("each message is announced at once", {
    play(scene, heard: boolean) {
      const send = scene.send();
      judgeAtOnce(scene.world, send, heard);
      scene.page([send]);
    },
    breaks: { "nobody heard of it in time": false },
    keeps: { "somebody heard of it": true },
  }),
];
