// The unchanged lines shown around a change.
const contextLines = 3;

/** One line of a comparison: `" "` is in both texts, `"-"` in the old one, `"+"` in the new one. */
interface Line {
  sign: " " | "-" | "+";
  text: string;
}

/** A unified diff without its header. */
export function unifiedDiff(before: string, after: string): string {
  const lines = compare(linesOf(before), linesOf(after));
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - contextLines), at + contextLines + 1).some(({ sign }) => sign !== " "),
  );
  const shown: string[] = [];
  let [old, now] = [1, 1];
  for (const [at, { sign, text }] of lines.entries()) {
    if (near[at]) {
      if (!near[at - 1]) shown.push(`@@ -${old} +${now} @@`);
      shown.push(sign + text);
    }
    if (sign !== "+") old += 1;
    if (sign !== "-") now += 1;
  }
  return shown.join("\n");
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function compare(a: string[], b: string[]): Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const lines = a.map<Line>((text) => ({ sign: " ", text }));
  const middle = compareInner(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [...lines.slice(0, start), ...middle, ...lines.slice(a.length - end)];
}

/** Compares by the longest common subsequence. Its table has a cell for each pair of lines, too many for whole files. */
function compareInner(a: string[], b: string[]): Line[] {
  const longest = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number) => longest[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = longest[i] as Uint32Array;
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: " ", text: a[i] ?? "" });
      i += 1;
      j += 1;
    } else if (j === b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: "-", text: a[i++] ?? "" });
    } else {
      lines.push({ sign: "+", text: b[j++] ?? "" });
    }
  }
  return lines;
}
