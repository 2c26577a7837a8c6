import { parseArgs } from "node:util";
import { announce } from "./announce.ts";
import { idle } from "./idle.ts";
import { inLab } from "./lab.ts";
import { machine, type Row, renderTable } from "./report.ts";
import { send } from "./send.ts";
import { startup } from "./startup.ts";
import { status } from "./status.ts";
import { typed } from "./typed.ts";

const measures = { startup, status, typed, send, announce, idle };

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: Object.keys(measures) },
    "idle-seconds": { type: "string", default: "60" },
  },
});

await inLab(Number(values["idle-seconds"]), async (lab) => {
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(measures)) {
    if (values.only.includes(name)) rows.push(...(await measure(lab)));
  }
  console.log(`${renderTable(rows)}\n\n${machine()}`);
});
