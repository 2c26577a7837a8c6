/** Milliseconds that something took, once. */
export type Timed = () => number | Promise<number>;

/**
 * Takes one sample of each in every round, in a new random order each time, so that whatever else the machine does
 * meets all of them alike, and none profits from what always goes before it. The first rounds do not count.
 */
export async function interleave<Name extends string>(
  { warmUp, rounds }: { warmUp: number; rounds: number },
  timed: Record<Name, Timed>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(timed) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of shuffled(names)) {
      const sample = await timed[name]();
      if (round >= 0) samples[name].push(sample);
    }
  }
  return samples;
}

/** The middle one. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** The smallest sample that no more than one in a hundred exceeds. */
export function p99(samples: readonly number[]): number {
  return quantile(samples, 0.99);
}

function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
