// The machine that tries to break relay, for as long as you like: npm run torture -- --minutes N [--seed S]
import { parseArgs } from "node:util";
import { inNamespace } from "./namespace.ts";
import { hasPython } from "./original-lane.ts";
import { makePlace } from "./place.ts";
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

const inside = await inNamespace();
if (inside !== null) process.exit(inside);

console.log(
  `seed ${values.seed}; the same plan again: npm run torture -- --minutes ${minutes} --seed ${values.seed}`,
);
const place = makePlace();
const lacking = [
  place.hasDisk ? null : "a disk that fills: no right to mount a tmpfs here",
  place.hasClock ? null : "clock jumps: no libfaketime here (Debian package faketime)",
  hasPython ? null : "the original's statements: no python3 here",
].filter((line) => line !== null);
for (const line of lacking) console.log(`skipped: ${line}`);

const world = createWorld(place);
const end = () => {
  for (const { child } of world.alive) child.kill("SIGKILL");
  place.remove();
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    end();
    process.exit(1);
  });
}
try {
  await runRounds(world, values.seed, minutes * 60_000, hasPython, console.log);
} finally {
  end();
}
console.log(renderFigures(world));
process.exit(world.violations.length > 0 ? 1 : 0);
