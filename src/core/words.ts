import { printableJson } from "./escape.ts";

/** A number of things: `1 message`, `2 messages`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

const rangesShown = 20;

/** Ids in order, consecutive ones joined: `31-34, 40`. After 20 ranges the rest is "and others". */
export function ranges(ids: readonly number[]): string {
  const joined: [from: number, to: number][] = [];
  for (const id of ids.toSorted((a, b) => a - b)) {
    const last = joined.at(-1);
    if (last && id === last[1] + 1) last[1] = id;
    else joined.push([id, id]);
  }
  const shown = joined.slice(0, rangesShown).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return joined.length > rangesShown ? `${shown.join(", ")} and others` : shown.join(", ");
}

/** A stored timestamp for people. Any program can write the column, so only a time is shown. */
export function shownTime(stored: string): string {
  const time = new Date(stored);
  return Number.isNaN(time.getTime()) ? "at an unknown time" : time.toISOString().replace(/\.\d+Z$/, "Z");
}

/** A value as an error quotes it: short, and in a form that nobody takes for relay's own words. */
export function quoteValue(value: unknown): string {
  if (value === undefined) return "missing";
  // JSON.stringify may take seconds for a deeply nested value
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  const text = printableJson(value);
  return text.length <= 40 ? text : `${text.slice(0, 40)}… (${thousands(text.length)} characters)`;
}

/** A count with separators: `65,536`. */
export function thousands(count: number): string {
  return count.toLocaleString("en-US");
}
