/** Numbers that look random and are the same for the same seed, on every machine. */
export interface Random {
  /** At least 0, less than 1. */
  next(): number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  /** True in so many of a hundred cases. */
  percent(chance: number): boolean;
  pick<T>(choices: readonly [T, ...T[]]): T;
  /** One of the names, each as often as its weight says. */
  weighted<Name extends string>(weights: Record<Name, number>): Name;
}

/** A stream of its own for each seed and each set of labels, so that no stream depends on how far another one got. */
export function random(seed: string, ...labels: (string | number)[]): Random {
  let state = hash([seed, ...labels].join("\n"));
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    percent: (chance) => next() * 100 < chance,
    pick: <T>(choices: readonly [T, ...T[]]) => choices[between(0, choices.length - 1)] as T,
    weighted<Name extends string>(weights: Record<Name, number>) {
      const entries = Object.entries<number>(weights);
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      const found = entries.find(([, weight]) => {
        left -= weight;
        return left < 0;
      });
      return (found ?? entries[0])?.[0] as Name;
    },
  };
}

// FNV-1a
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value;
}
