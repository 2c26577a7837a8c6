/**
 * Takes one sample of each in every round, in milliseconds, in a new random order each time, so that whatever else the
 * machine does meets all of them alike, and none profits from what always goes before it. The first 5 rounds, which
 * warm up, do not count.
 */
export async function interleave<Name extends string>(
  rounds: number,
  takers: Record<Name, () => Promise<number>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(takers) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = -5; round < rounds; round++) {
    const order = names.map((name) => ({ name, place: Math.random() })).sort((a, b) => a.place - b.place);
    for (const { name } of order) {
      const sample = await takers[name]();
      if (round >= 0) samples[name].push(sample);
    }
  }
  return samples;
}

/** How many milliseconds `work` takes. */
export async function timed(work: () => unknown): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** The smallest sample that no more than this share of all exceed: 0.5 is the median. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
