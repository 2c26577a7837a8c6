import { makeVisible } from "../core/escape.ts";
import { type Line, sections } from "../setup/plan.ts";
import type { Context } from "./context.ts";

const colors = { "✓": "green", "+": "green", "–": "dim", "!": "yellow" } as const;

/** A line, in red if it is a failure, with a text that goes below it as it is. */
type ShownLine = Pick<Line, "section" | "mark" | "text"> & { isFailure?: boolean; block?: string };

/** What stands below a checklist. */
interface Ending {
  /** The person's next steps. */
  steps?: readonly string[];
  last?: readonly string[];
}

/** Lines under their headings, then the next steps and the last words. The same words stand on a terminal and in a pipe. */
export function renderChecklist(
  lines: readonly ShownLine[],
  { steps = [], last = [] }: Ending,
  context: Context,
): string {
  const { environment, style } = context;
  const width = environment.terminal.stdout ? environment.screen().columns : Number.POSITIVE_INFINITY;
  const wrap = (text: string, indent: number) => {
    const visible = makeVisible(text).text;
    const wrapped = Number.isFinite(width) ? Bun.wrapAnsi(visible, width - indent) : visible;
    return wrapped.replaceAll("\n", `\n${" ".repeat(indent)}`);
  };
  const render = ({ mark, text, isFailure, block }: ShownLine) => [
    `  ${style("stdout", isFailure ? "red" : colors[mark], mark)} ${wrap(text, 4)}`,
    ...(block ? [makeVisible(block).text] : []),
  ];
  const heading = (text: string) => style("stdout", "bold", text);
  const parts = sections.flatMap((section) => {
    const own = lines.filter((line) => line.section === section);
    return own.length > 0 ? [[heading(section), ...own.flatMap(render)].join("\n")] : [];
  });
  const numbered = steps.map((text, index) => `  ${index + 1} ${wrap(text, 4)}`);
  if (steps.length > 0) parts.push([heading("Now"), ...numbered].join("\n"));
  return [...parts, last.map((text) => wrap(text, 0)).join("\n")].filter(Boolean).join("\n\n");
}
