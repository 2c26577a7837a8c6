// A short run of what tries to break relay; by hand it runs for an hour. test/torture, design.md, promises 1 and 3.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { planRound } from "./torture/plan.ts";

const program = join(import.meta.dir, "torture/torture.ts");

// What the first round of every run does, and the machine may lack.
const figures: [figure: string, lacking: RegExp | null][] = [
  ["kills with SIGKILL", null],
  ["stops with SIGSTOP", null],
  ["clock jumps", /^skipped: clock jumps/m],
  ["times the disk was full", /^skipped: a disk/m],
  ["times the file was read-only", null],
  ["times the file was locked", null],
  ["times the file was removed", null],
  ["times the file was renamed", null],
  ["times the file was renamed, and back", null],
  ["statements of the original", /^skipped: the original/m],
  ["requests cancelled", null],
  ["sends by tool", null],
  ["sends by command", null],
  ["fetches by tool", null],
  ["fetches by command", null],
  ["pages by /get", null],
  ["messages announced", null],
  ["messages seen by their reader", null],
  ["pages that had to hold all that waits", null],
  ["sends that had to evict", null],
  ["counts of what waits", null],
];

test.skipIf(process.platform === "win32")(
  "a minute of it finds nothing, and leaves out only what this machine cannot do",
  async () => {
    const child = Bun.spawn([process.execPath, program, "--minutes", "1"], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    await child.exited;
    for (const line of stdout.match(/^(seed|skipped:) .*$/gm) ?? []) console.log(`torture: ${line}`);
    const violations = /^violat(?:ed: |ions +[1-9]).*/ms.exec(stdout)?.[0] ?? "";
    expect([child.exitCode, violations, stderr]).toEqual([0, "", ""]);
    for (const [figure, lacking] of figures) {
      if (lacking?.test(stdout)) continue;
      const count = new RegExp(`^${figure} +(\\d+)$`, "m").exec(stdout)?.[1];
      expect([figure, Number(count ?? 0) > 0]).toEqual([figure, true]);
    }
  },
  600_000,
);

test("the same seed plans the same, whatever became of it, and another seed plans something else", () => {
  const take = (stream: Iterator<unknown, never>) => Array.from({ length: 50 }, () => stream.next().value);
  const plan = (seed: string, round: number) => {
    const { weather, server, command, original, faults, kills, stops, notifier } = planRound(seed, round);
    const lanes = [server(0), server(1), command(0), original(), kills(), stops(), notifier()];
    return JSON.stringify([weather, ...lanes.map(take), weather.faults.length > 0 ? take(faults()) : []]);
  };
  for (const round of [0, 1, 7]) {
    expect(plan("a", round)).toBe(plan("a", round));
    expect(plan("a", round)).not.toBe(plan("b", round));
    expect(plan("a", round)).not.toBe(plan("a", round + 1));
  }
});
