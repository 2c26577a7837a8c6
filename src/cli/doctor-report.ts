import { stripVTControlCharacters } from "node:util";
import type { Finding } from "../doctor/check.ts";
import type { Context } from "./context.ts";

const colours: Record<Finding["status"], number> = { ok: 32, warn: 33, fail: 31 };

/** What was found, for people: a line each, and the fix below it. */
export function tellChecks(checks: readonly Finding[], { environment }: Context): string {
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2;
  const label = (status: Finding["status"]) =>
    environment.color("stdout")
      ? `\u001b[${colours[status]}m${status.padEnd(6)}\u001b[39m`
      : status.padEnd(6);
  return checks
    .flatMap(({ name, status, detail, fix }) => [
      `${label(status)}${name.padEnd(width)}${plain(detail)}`,
      ...(fix ? [`${" ".repeat(6 + width)}${plain(fix)}`] : []),
    ])
    .join("\n");
}

// Names of files and words of other programs are on these lines.
function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, " ");
}
