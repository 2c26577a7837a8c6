// Who judges the torture run is judged here: made-up histories, and what each rule says to them. test/torture.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { announcementCases } from "./torture/cases/announcements.ts";
import { countCases } from "./torture/cases/counts.ts";
import { evictionCases } from "./torture/cases/evictions.ts";
import { lossCases } from "./torture/cases/losses.ts";
import { omissionCases } from "./torture/cases/omissions.ts";
import { orderCases } from "./torture/cases/order.ts";
import { pageCases } from "./torture/cases/pages.ts";
import { processCases } from "./torture/cases/processes.ts";
import { refusalCases } from "./torture/cases/refusals.ts";
import { remainCases } from "./torture/cases/remains.ts";
import { sendCases } from "./torture/cases/sends.ts";
import { silenceCases } from "./torture/cases/silences.ts";
import { tellingCases } from "./torture/cases/tellings.ts";
import { windowCases } from "./torture/cases/window.ts";

const judges = join(import.meta.dir, "torture/judge");

const cases = [
  ...sendCases,
  ...pageCases,
  ...orderCases,
  ...omissionCases,
  ...evictionCases,
  ...windowCases,
  ...countCases,
  ...processCases,
  ...remainCases,
  ...lossCases,
  ...tellingCases,
  ...announcementCases,
  ...silenceCases,
  ...refusalCases,
];

for (const { rule, detail, breaks, judge } of cases) {
  test(`${rule}: ${breaks ? "not if" : "so it is if"} ${detail}`, () => {
    expect(judge()).toEqual(breaks ? [rule] : []);
  });
}

test("every rule of a judge has a history that violates it, and one that does not", () => {
  const rules = readdirSync(judges).flatMap((name) => rulesIn(readFileSync(join(judges, name), "utf8")));
  expect(rules).not.toEqual([]);
  const untested = (breaks: boolean) => {
    const tested = new Set(cases.filter((one) => one.breaks === breaks).map(({ rule }) => rule));
    return rules.filter((rule) => !tested.has(rule));
  };
  expect({ violated: untested(true), kept: untested(false) }).toEqual({ violated: [], kept: [] });
});

// They say only that something took too long, or could not be done at all.
const elsewhere = [
  "a buffer at peace can be read",
  "every command ends",
  "every request is answered",
  "reading comes to an end",
];

test("no rule is written anywhere but in a judge, except those that need none", () => {
  const folder = join(import.meta.dir, "torture");
  const names = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  const sources = names.map((name) => readFileSync(join(folder, name), "utf8"));
  const rules = sources.flatMap((source) => [...source.matchAll(/\.violated\(\s*"([^"]+)"/g)]);
  expect(rules.map(([, rule]) => rule).sort()).toEqual(elsewhere);
});

/** The rules that a judge's source names. Throws if one is not said where it is violated. */
function rulesIn(source: string): string[] {
  const rules = [...source.matchAll(/\.violated\(\s*"([^"]+)"/g)].map(([, rule = ""]) => rule);
  expect(source.match(/\bviolated\b/g) ?? []).toHaveLength(rules.length);
  return rules;
}
