import { cpus, release, type } from "node:os";
import { median, p99 } from "./samples.ts";

/** A line of the report. What has no floor has no ratio, and what has no goal is there for information. */
export interface Row {
  measure: string;
  value: number;
  unit: "ms" | "ms/s" | "MB";
  floor?: { name: string; value: number };
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
    value: median(samples),
    unit: "ms",
    floor: { name: floor.name, value: median(floor.samples) },
    ...(goal !== undefined && { goal: { ratio: goal } }),
    p99: p99(samples),
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

/** The machine, without anything that tells whose it is. */
export function machine(): string {
  const processors = cpus();
  return `${processors.length} cores, ${processors[0]?.model.trim()}, ${type()} ${release()}, Bun ${Bun.version}`;
}

function cells({ measure, value, unit, floor, goal, p99 }: Row): string[] {
  const ratio = floor && value / floor.value;
  const quantity = (number: number | undefined) =>
    number === undefined ? "" : `${number.toFixed(number < 10 ? 2 : 1)} ${unit}`;
  return [
    measure,
    quantity(value),
    quantity(p99),
    quantity(floor?.value),
    ratio === undefined ? "" : `${ratio.toFixed(2)}x`,
    goal ? ("ratio" in goal ? `${goal.ratio}x` : `${goal.value} ${unit}`) : "",
    goal
      ? ("ratio" in goal ? (ratio ?? Number.NaN) <= goal.ratio : value <= goal.value)
        ? "met"
        : "missed"
      : "",
    floor?.name ?? "",
  ];
}
