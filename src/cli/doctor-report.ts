import { stripVTControlCharacters, styleText } from "node:util";
import type { Finding } from "../doctor/check.ts";
import type { Context } from "./context.ts";

const colors = { ok: "green", warn: "yellow", fail: "red" } as const;

/** The findings for people: a line each, and the fix below it. */
export function renderFindings(findings: readonly Finding[], { environment }: Context): string {
  const width = Math.max(...findings.map(({ name }) => name.length)) + 2;
  const indent = " ".repeat(6 + width);
  const isColored = environment.color("stdout");
  const label = (status: Finding["status"]) => {
    const text = status.padEnd(6);
    return isColored ? styleText(colors[status], text, { validateStream: false }) : text;
  };
  return findings
    .flatMap(({ name, status, detail, fix }) => [
      `${label(status)}${name.padEnd(width)}${plain(detail)}`,
      ...(fix ? [`${indent}${plain(fix)}`] : []),
    ])
    .join("\n");
}

// File names and the output of other programs may hold anything.
function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, " ");
}
