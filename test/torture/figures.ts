import { invariants, type Process, type Run, type Violation } from "./run.ts";
import { type Fetch, type History, overlap } from "./run-history.ts";

const marginMilliseconds = 1_000; // of what happened around a message

/** The figures of a run, one a line. */
export function renderFigures({ figures, violations }: Run): string {
  const rows = [...figures, ["violations", violations.length] as const];
  return rows
    .map(([figure, count]) => `${figure.padEnd(60)} ${String(count).padStart(8)}`)
    .sort()
    .join("\n");
}

/** An invariant that did not hold, and what happened to the first messages concerned, in order. */
export function renderViolation({ round, history }: Run, { invariant, what, tokens }: Violation): string {
  const head = `violated: ${invariants[invariant]}\n  round ${round}: ${what} ${tokens.join(" ")}`;
  return [head, ...traceOf(history, tokens.slice(0, 3))].join("\n  ").slice(0, 20_000);
}

function traceOf(history: History, tokens: string[]): string[] {
  const { clears, troubles, generations } = history;
  const sends = history.sends.filter(({ token }) => tokens.includes(token));
  const notifications = history.notifications.filter(({ token }) => tokens.includes(token));
  const isAbout = ({ page }: Fetch) =>
    page?.shown.some(({ text }) => tokens.some((token) => text.startsWith(token))) ||
    page?.dropped.some((id) => sends.some((send) => send.id === id));
  const life = [...sends, ...notifications, ...history.fetches.filter(isAbout)];
  const times = life.map(({ from }) => from);
  const span = { from: Math.min(...times) - marginMilliseconds, to: Math.max(...times) + marginMilliseconds };
  const unanswered = history.fetches.filter(({ page }) => !page);
  const around = [...troubles, ...generations, ...clears, ...unanswered].filter((one) => overlap(one, span));
  return [...life, ...around].sort((a, b) => a.from - b.from).map((event) => JSON.stringify(event, shorten));
}

function shorten(key: string, value: unknown): unknown {
  if (typeof value === "string") return value.slice(0, 60);
  if (typeof value === "number") return Math.round(value);
  if (key !== "process" || value === null) return value;
  const { name, child, killed, asked, ended } = value as Process;
  return { name, pid: child.pid, killed, asked, ended };
}
