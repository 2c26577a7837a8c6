import { stripVTControlCharacters } from "node:util";
import { plural } from "../core/words.ts";
import type { ListedFinding } from "../doctor/check.ts";
import { renderChecklist } from "./checklist.ts";
import type { Context } from "./context.ts";

/** The findings for people, each with its fix below it, and what they come to; the error of a failure follows. */
export function renderFindings(findings: readonly ListedFinding[], context: Context): string {
  const lines = findings.map(({ section, name, status, detail, fix, checked }) => ({
    section,
    mark: status !== "ok" ? ("!" as const) : checked === false ? ("–" as const) : ("✓" as const),
    isFailure: status === "fail",
    text: [`${name}: ${plain(detail)}`, ...(fix ? [plain(fix)] : [])].join("\n"),
  }));
  const warnings = findings.filter(({ status }) => status === "warn").length;
  const isFailing = lines.some(({ isFailure }) => isFailure);
  const last =
    warnings === 0 ? "Everything works." : `Nothing is broken; see the ${plural(warnings, "note")} marked ! above.`;
  const text = renderChecklist(lines, { last: isFailing ? [] : [last] }, context);
  return isFailing ? `${text}\n\n` : text;
}

// File names and the output of other programs may hold anything.
function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, " ");
}
