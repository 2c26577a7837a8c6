import type { World } from "./world.ts";

// What was asked of relay, and each once.
const operations = [
  "sends by tool",
  "sends by command",
  "sends by /get",
  "fetches by tool",
  "fetches by command",
  "fetches by /get",
  "prompts",
  "peeks",
  "clears",
  "looks",
  "statements of the original",
];

/** The figures of a run as a table, and what must not have been. */
export function renderReport({ figures, violations }: World): string {
  const rows = [...figures].sort(([a], [b]) => a.localeCompare(b));
  const width = Math.max(...rows.map(([what]) => what.length), 10);
  const asked = operations.reduce((sum, what) => sum + (figures.get(what) ?? 0), 0);
  const table = [
    ...rows,
    ["operations in all", asked] as const,
    ["violations", violations.length] as const,
  ].map(([what, count]) => `${what.padEnd(width)}  ${String(count).padStart(9)}`);
  const told = violations.map(({ rule, what, trace }) =>
    [`\nviolated: ${rule}`, `  ${what}`, ...trace.map((event) => `  ${shorten(JSON.stringify(event))}`)].join(
      "\n",
    ),
  );
  return [...table, ...told].join("\n");
}

function shorten(text: string): string {
  return text.length <= 700 ? text : `${text.slice(0, 700)}…`;
}
