// A short run of what tries to break relay, and of the same with a defect; by hand it runs for an hour. test/torture.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { planRound } from "./torture/workload.ts";

const program = join(import.meta.dir, "torture/torture.ts");

/** What the first round of every run does, and this machine may have no means for. */
const figures: [figure: string, skipped?: RegExp][] = [
  ["acknowledged"],
  ["answers"],
  ["messages for a project"],
  ["calls: relay_send"],
  ["calls: relay_fetch"],
  ["commands: send"],
  ["commands: get"],
  ["commands: typed"],
  ["statements of the original", /^skipped: the original/m],
  ["cancels"],
  ["kills"],
  ["stops"],
  ["clock jumps", /^skipped: clock jumps/m],
  ["evictions of unread messages"],
  ["faults: disk full", /^skipped: a disk/m],
  ["faults: locked"],
  ["faults: read-only"],
  ["faults: removed"],
  ["faults: renamed"],
  ["faults: renamed back"],
  ["notifications"],
];

async function torture(...args: string[]) {
  const child = Bun.spawn([process.execPath, program, "--rounds", "1", ...args], {
    stdin: "ignore",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  for (const line of stdout.match(/^(seed|skipped:) .*$/gm) ?? []) console.log(`torture: ${line}`);
  return { status: child.exitCode, violations: /^violated: .*/ms.exec(stdout)?.[0] ?? "", stdout, stderr };
}

test.skipIf(process.platform === "win32").concurrent(
  "a round of everything violates nothing",
  async () => {
    const { status, violations, stdout, stderr } = await torture();
    expect([status, violations, stderr]).toEqual([0, "", ""]);
    for (const [figure, skipped] of figures) {
      if (skipped?.test(stdout)) continue;
      const count = new RegExp(`^${figure} +(\\d+)$`, "m").exec(stdout)?.[1];
      expect([figure, Number(count) > 0]).toEqual([figure, true]);
    }
  },
  300_000,
);

test.skipIf(process.platform === "win32").concurrent(
  "defects that lose messages are found, each of them",
  async () => {
    const { status, violations } = await torture("--mutant", "lost-message,lost-history", "--seed", "d"); // its last file stays, uncleared
    expect(status).toBe(1);
    expect(violations).toContain("violated: 1. every acknowledged message is shown");
    expect(violations).toContain("are lost");
    expect(violations).toContain("are in no window or history");
  },
  300_000,
);

test("the same seed plans the same again, and another seed or round something else", () => {
  const take = (stream: Iterator<unknown, never> | null) => Array.from({ length: 50 }, () => stream?.next().value);
  const plan = (seed: string, round: number) => {
    const { servers, commands, original, kills, stops, faults, outcomes } = planRound(seed, round);
    const streams = [...servers.map(({ actions }) => actions), ...commands, original, kills, stops, outcomes];
    return JSON.stringify([faults, ...streams.map(take)]);
  };
  for (const round of [0, 1, 7]) {
    expect(plan("a", round)).toBe(plan("a", round));
    expect(plan("a", round)).not.toBe(plan("b", round));
    expect(plan("a", round)).not.toBe(plan("a", round + 1));
  }
});
