import type { Violation, World } from "./world.ts";

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

/** The figures of a run as a table. */
export function renderFigures({ figures, violations }: World): string {
  const rows = [...figures].sort(([a], [b]) => a.localeCompare(b));
  const asked = operations.reduce((sum, what) => sum + (figures.get(what) ?? 0), 0);
  const table = [...rows, ["operations in all", asked] as const, ["violations", violations.length] as const];
  const width = Math.max(...table.map(([what]) => what.length));
  return table.map(([what, count]) => `${what.padEnd(width)}  ${String(count).padStart(9)}`).join("\n");
}

/** What must not have been, and how it came to it. */
export function renderViolation({ rule, what, trace }: Violation): string {
  const events = trace.map((event) => `  ${shorten(JSON.stringify(event))}`);
  return [`violated: ${rule}`, `  ${what}`, ...events].join("\n");
}

function shorten(text: string): string {
  return text.length <= 700 ? text : `${text.slice(0, 700)}…`;
}
