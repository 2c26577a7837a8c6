/** The word among these that a slip of the fingers made `word`; `undefined` if none is that close. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  return candidates
    .filter((candidate) => Math.abs(candidate.length - word.length) <= 2)
    .map((candidate) => ({ candidate, slips: countSlips(word, candidate) }))
    .filter(
      ({ candidate, slips }) =>
        // "install" is two letters from "uninstall", and means the opposite
        slips < 2 || (slips === 2 && word.length > 4 && word[0] === candidate[0]),
    )
    .sort((a, b) => a.slips - b.slips)[0]?.candidate;
}

/** The number of letters that are missing, too many, wrong, or exchanged with their neighbour. */
function countSlips(from: string, to: string): number {
  const rows: number[][] = [];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 0; row <= from.length; row++) {
    rows[row] = [];
    for (let column = 0; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isExchange = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const slips = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        isExchange ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
      rows[row]?.push(row + column === 0 ? 0 : slips);
    }
  }
  return at(from.length, to.length);
}
