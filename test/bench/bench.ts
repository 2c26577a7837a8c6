import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { announce } from "./announce.ts";
import { attach } from "./attachments.ts";
import { idle } from "./idle.ts";
import { inLab } from "./lab.ts";
import { peers } from "./peers.ts";
import { postgres } from "./postgres.ts";
import { search } from "./searches.ts";
import { send } from "./sends.ts";
import { start } from "./start.ts";
import { machine, type Row, renderPeers, renderTable } from "./table.ts";

const measures = { start, send, attach, search, announce, idle, postgres };

// the words choose measures, or are `peers`
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", multiple: true, default: Object.keys(measures) },
    rounds: { type: "string", default: "100" },
    "idle-seconds": { type: "string", default: "60" },
    out: { type: "string" },
  },
});
const comparesPeers = positionals.includes("peers");

const [rounds, idleSeconds] = [Number(values.rounds), Number(values["idle-seconds"])];
await inLab({ rounds, idleSeconds }, async (lab) => {
  const rows: Row[] = comparesPeers ? await peers(lab) : [];
  for (const [name, measure] of Object.entries(measures)) {
    if ((positionals.length > 0 ? positionals : values.only).includes(name)) rows.push(...(await measure(lab)));
  }
  const date = new Date().toISOString().slice(0, 10);
  console.log(`${comparesPeers ? renderPeers(rows) : renderTable(rows)}\n\n${machine()}, ${date}`);
  if (values.out) writeFileSync(values.out, `${JSON.stringify({ machine: machine(), date, rows }, null, 2)}\n`);
});
