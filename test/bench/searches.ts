import { Database } from "bun:sqlite";
import { sendAll } from "../support/sandbox.ts";
import type { Lab } from "./lab.ts";
import { interleave, timed } from "./samples.ts";
import { type Row, timedRow } from "./table.ts";

/** How long a search takes in a full history of the longest messages, from the spawn of `relay log` to its exit. */
export async function search(lab: Lab): Promise<Row[]> {
  const box = lab.home();
  await sendAll(box, "code", ["the first message"]);
  using db = new Database(box.buffer);
  const words = "Code asks whether all 12 tests pass; Desktop says that 1 of them does not, and why.\n";
  const insert = db.query("INSERT INTO messages (sender, message, timestamp) VALUES ('desktop', ?, ?)");
  db.transaction(() => {
    for (let n = 0; n < 1_000; n++) insert.run(`${n} ${words.repeat(800)}`.slice(0, 65_536), new Date().toISOString());
    db.run("DELETE FROM messages"); // into the history
  })();
  const run = (...args: string[]) => timed(() => box.relay(["log", "--json", ...args]));
  const samples = await interleave(lab.rounds, {
    none: () => run("--search", "tests fail"),
    all: () => run("--search", "THAT 1 OF THEM", "--limit", "1"),
    last: () => run("--limit", "1"),
  });
  const floor = { name: "relay log --limit 1 there", samples: samples.last };
  return [
    { ...timedRow("relay log --search, 64 MB without a match", samples.none, floor), goal: { value: 100 } },
    { ...timedRow("relay log --search, 64 MB of matches", samples.all, floor), goal: { value: 100 } },
  ];
}
