import { cpus, release, type } from "node:os";
import { quantile } from "./samples.ts";

/** A line of the report. What has no goal is there for information. */
export interface Row {
  measure: string;
  value: number;
  unit: "ms" | "ms/s" | "MB";
  floor: { name: string; value: number };
  /** The most that `value` may be: so many times the floor, or so much by itself. */
  goal?: { ratio: number } | { value: number };
  p99?: number;
}

/** The row for samples in milliseconds against the samples of their floor. */
export function timedRow(
  measure: string,
  samples: readonly number[],
  floor: { name: string; samples: readonly number[] },
  goal?: number,
): Row {
  return {
    measure,
    value: quantile(samples, 0.5),
    unit: "ms",
    floor: { name: floor.name, value: quantile(floor.samples, 0.5) },
    ...(goal !== undefined && { goal: { ratio: goal } }),
    p99: quantile(samples, 0.99),
  };
}

/** The rows as an aligned table. */
export function renderTable(rows: readonly Row[]): string {
  const head = ["measure", "median", "p99", "floor", "ratio", "goal", "", "the floor is"];
  const table = [head, ...rows.map(cells)];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const numeric = (column: number) => column >= 1 && column <= 5;
  const align = (cell: string, column: number) =>
    numeric(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return table.map((row) => row.map(align).join("  ").trimEnd()).join("\n");
}

/** The rows as a Markdown table, in which the floor is another program that does the same. */
export function renderPeers(rows: readonly Row[]): string {
  const cells = rows.map(({ measure, value, unit, floor }) => [
    measure,
    `${round(value)} ${unit}`,
    `${round(floor.value)} ${unit}`,
    `${round(floor.value / value)}×`,
  ]);
  const lines = [["median", "relay", rows[0]?.floor.name ?? "", "ratio"], ["---", "---", "---", "---"], ...cells];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** The machine, without anything that tells whose it is. */
export function machine(): string {
  const processors = cpus();
  return `${processors.length} cores, ${processors[0]?.model.trim()}, ${type()} ${release()}, Bun ${Bun.version}`;
}

/** A number for people: one digit after the point, if it is small. */
export function round(number: number): string {
  return number.toFixed(number < 10 ? 1 : 0);
}

function cells({ measure, value, unit, floor, goal, p99 }: Row): string[] {
  const quantity = (number: number) => `${number.toFixed(number < 10 ? 2 : 1)} ${unit}`;
  const ratio = value / floor.value;
  const row = [measure, quantity(value), p99 ? quantity(p99) : "", quantity(floor.value), `${ratio.toFixed(2)}x`];
  if (!goal) return [...row, "", "", floor.name];
  const [most, met] =
    "ratio" in goal ? [`${goal.ratio}x`, ratio <= goal.ratio] : [quantity(goal.value), value <= goal.value];
  return [...row, most, met ? "met" : "missed", floor.name];
}
