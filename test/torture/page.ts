import { makeVisible } from "../../src/core/escape.ts";
import type { Clear, Send } from "./history.ts";

/** A message on a page. */
export interface Shown {
  id: number;
  sender: string;
  text: string;
  /** It was offered as unread. */
  fresh: boolean;
  /** It was said that it may have been shown before. */
  maybe: boolean;
}

/** What somebody was told of messages that went unread: ids where there are any, else how many. */
export interface Told {
  dropped: number[];
  ownDropped: number[];
  /** Messages told of by their number alone: those that were cleared, and those beyond a long list of ids. */
  uncounted: number;
  ownUncounted: number;
}

/** A page, whether it came framed or as JSON. */
export interface Page {
  shown: Shown[];
  told: Told;
  /** How many more wait, and how many of them are on their way elsewhere; null if nothing is said of it. */
  waiting: { remaining: number; elsewhere: number } | null;
  /** The texts are exact; else as they are shown, with what is unsafe escaped. */
  exact: boolean;
}

/** Nothing was told. */
export const nothingTold: Told = { dropped: [], ownDropped: [], uncounted: 0, ownUncounted: 0 };

/** Reads what `relay get --json` prints. Throws on anything else. */
export function readJson(text: string, column: string): Page {
  const page = JSON.parse(text);
  return {
    shown: page.messages.map((message: Record<string, unknown>) => ({
      id: message.id,
      sender: message.sender,
      text: message.message,
      fresh: message[column] === null,
      maybe: message.maybe_shown,
    })),
    told: {
      dropped: page.dropped,
      ownDropped: page.sent_dropped,
      uncounted: page.cleared.length,
      ownUncounted: page.sent_cleared.length,
    },
    waiting: { remaining: page.remaining, elsewhere: page.elsewhere },
    exact: true,
  };
}

/** Reads a framed page. Throws if it is none. */
export function readFramed(text: string): Page {
  const lines = text.split("\n");
  const preamble = lines.findIndex((line) => /^Between the lines marked \w+ stand messages /.test(line));
  const head = preamble < 0 ? lines : lines.slice(0, preamble);
  const strange = head.find((line) => line !== "" && !line.startsWith("relay: "));
  if (strange !== undefined) throw new Error(`a line that no page has: ${strange}`);
  const mark = preamble < 0 ? "" : (/marked (\w+)/.exec(lines[preamble] ?? "")?.[1] ?? "");
  const shown = preamble < 0 ? [] : readFrames(lines.slice(preamble + 1), mark);
  return { shown, told: readTold(head), waiting: readWaiting(head[0] ?? ""), exact: false };
}

function readWaiting(line: string): Page["waiting"] {
  const remaining = Number(/(\d+) (?:more )?waiting/.exec(line)?.[1] ?? 0);
  const [elsewhere, , count] = /(, |(\d+) of them )on (?:its|their) way elsewhere/.exec(line) ?? [];
  return { remaining, elsewhere: elsewhere ? Number(count ?? remaining) : 0 };
}

function readFrames(lines: string[], mark: string): Shown[] {
  const shown: Shown[] = [];
  const rest = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
  for (let at = 0; at < rest.length; ) {
    const begin = new RegExp(`^--- ${mark} message (\\d+), (\\w+), (?:[^(]*)(?:\\((.*)\\))?$`).exec(
      rest[at] ?? "",
    );
    const id = begin?.[1];
    const end = rest.indexOf(`--- ${mark} end of message ${id}`, at);
    if (!begin || end < 0) throw new Error(`a line outside of every frame: ${rest[at]?.slice(0, 80)}`);
    const notes = begin[3]?.split("; ") ?? [];
    shown.push({
      id: Number(id),
      sender: begin[2] ?? "",
      text: rest.slice(at + 1, end).join("\n"),
      fresh: !notes.includes("read before") && !notes.includes("shown before"),
      maybe: notes.includes("may have been shown before"),
    });
    at = end + 1;
  }
  return shown;
}

/** What lines that begin with `relay: ` tell of losses, on a page or a receipt. */
export function readTold(lines: readonly string[]): Told {
  const told: Told = { dropped: [], ownDropped: [], uncounted: 0, ownUncounted: 0 };
  for (const line of lines) {
    const [, count, own, fate] =
      /^relay: (\d+) (?:unread )?messages?( you sent)? (?:was|were) (dropped|cleared)/.exec(line) ?? [];
    if (!count || !fate) continue;
    const ids = fate === "dropped" ? readRanges(/full \(([^)]*)\)/.exec(line)?.[1] ?? "") : [];
    (own ? told.ownDropped : told.dropped).push(...ids);
    if (own) told.ownUncounted += Number(count) - ids.length;
    else told.uncounted += Number(count) - ids.length;
  }
  return told;
}

function readRanges(text: string): number[] {
  return [...text.matchAll(/(\d+)(?:-(\d+))?/g)].flatMap(([, first, last = first]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, n) => Number(first) + n),
  );
}

/** Reads a receipt in JSON. Throws if it is none. */
export function readReceipt(text: string): Pick<Send, "receipt" | "told"> {
  const receipt = JSON.parse(text);
  const told = {
    ...readTold([]),
    ownDropped: receipt.dropped ?? [],
    ownUncounted: receipt.cleared?.length ?? 0,
  };
  return { receipt, told };
}

/** Reads what a clear says, in JSON or in words; null if it is neither. */
export function readCleared(text: string): Clear["receipt"] {
  const [, deleted, unread] =
    /^\{"ok":true,"deleted":(\d+),"deleted_unread":(\d+)\}\n?$/.exec(text) ??
    /^relay: cleared (\d+) messages?, of which (\d+) unread\.\n$/.exec(text) ??
    [];
  return deleted && unread ? { deleted: Number(deleted), deleted_unread: Number(unread) } : null;
}

/** The text as this page has to show it. */
export function asShown(text: string, { exact }: Page): string {
  return exact ? text : makeVisible(text).text;
}
