// The machine that tries to break relay, for as long as you like: npm run torture -- --minutes N [--seed S]
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { hasPython } from "../support/original-statements.ts";
import { asPerson } from "../support/rights.ts";
import { inNamespace, type Surroundings } from "./namespace.ts";
import { makePlace, type Place } from "./place.ts";
import { renderFigures } from "./report.ts";
import { runRounds } from "./rounds.ts";
import { createWorld } from "./world.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: crypto.randomUUID().slice(0, 8) },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes is "${values.minutes}"; it must be a number above 0.`);

process.exit(await inNamespace(torture));

async function torture({ folder, ended }: Surroundings): Promise<number> {
  const again = `npm run torture -- --minutes ${minutes} --seed ${values.seed}`;
  console.log(`seed ${values.seed}; the same plan again: ${again}`);
  const place = makePlace(folder);
  for (const line of lacking(place)) console.log(`skipped: ${line}`);
  const world = createWorld(place);
  const end = () => {
    for (const { child } of world.alive) child.kill("SIGKILL");
    place.remove();
  };
  void ended.then(() => {
    end();
    process.exit(1);
  });
  try {
    await runRounds(world, values.seed, minutes * 60_000, hasPython, console.log);
  } finally {
    console.log(renderFigures(world));
    end();
  }
  return world.violations.length > 0 ? 1 : 0;
}

function lacking({ hasDisk, hasClock }: Place): string[] {
  return [
    hasDisk ? [] : "a disk that fills: no right to mount a tmpfs here",
    hasClock ? [] : "clock jumps: no libfaketime here (Debian package faketime)",
    asPerson ? [] : "a file that the system keeps read-only: no setpriv here, and root may write anything",
    existsSync("/proc/self/stat") ? [] : "that no process is left: no /proc here",
    hasPython ? [] : "the original's statements: no python3 here",
  ].flat();
}
