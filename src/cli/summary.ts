import { describeDropped } from "../core/drop-report.ts";
import { makeVisible } from "../core/escape.ts";
import type { Page, PageMessage } from "../core/leased-page.ts";
import { againHead, fitAgain, othersLine, pageHead } from "../core/page.ts";
import { plural } from "../core/words.ts";
import { describeMessage, fileNames } from "./render.ts";

// Claude Code shows this much of a hook's message in full. Of more than 10,000 characters it shows the first 2 KB (seen).
const summaryLines = 60;
const longestLine = /.{1,80}/gu; // marks that combine take no column

const messageLines = 12;

// With Claude Code's margin and relay's bar it fits into 80.
const lineColumns = 72;

/** The page that a typed `/get` is about to bring, for the person: who sent what and when, and its first lines. */
export function summarizePage(page: Page): string {
  const { messages, others, dropped, tooLong } = page;
  const notes = [...othersLine(others), ...describeDropped(dropped)];
  if (tooLong !== null)
    notes.push(`Message ${tooLong} is too long for a prompt. Claude asks you before it fetches it.`);
  return summarize([`${pageHead(page, "code")}.`, ...notes], messages);
}

/** The same for messages that a typed command brings once more; `words` are those after `/get`. */
export function summarizeAgain(messages: readonly PageMessage[], words: string): string {
  const shown = fitAgain(messages);
  const hidden = messages.length - shown.length;
  const note = `${plural(hidden, "message")} did not fit. Say get, and Claude asks you before it fetches more.`;
  // the heading of a single message says the same
  const head = words === "again" ? [`${againHead(shown, words)}.`] : [];
  return summarize([...head, ...(hidden > 0 ? [note] : [])], shown);
}

function summarize(head: readonly string[], messages: readonly PageMessage[]): string {
  let left = summaryLines - head.length - messages.reduce((sum, { files }) => sum + (files.length > 0 ? 2 : 1), 0);
  const lines = messages.flatMap((message, index) => {
    const { text, escaped } = makeVisible(message.message.replaceAll("\r\n", "\n"));
    const most = Math.min(messageLines + 1, Math.max(1, Math.floor(left / (messages.length - index))));
    const body = firstLines(text.trimEnd().replaceAll("\t", "    "), most, message.id);
    left -= body.length;
    return [
      describeMessage(message, "code", escaped).join(" · "),
      ...body.map((line) => `│ ${line}`.trimEnd()),
      ...(message.files.length > 0 ? [Bun.sliceAnsi(`+ ${fileNames(message)}`, 0, lineColumns, "…")] : []),
    ];
  });
  return [...head, ...lines].join("\n");
}

/** The beginning of a message in at most so many lines; the last one tells how many are left out, and where they are. */
function firstLines(text: string, most: number, id: number): string[] {
  // Claude Code wraps a longer line itself, and its rest would stand where relay's own words do
  const lines = text
    .split("\n")
    .flatMap((line) => Bun.wrapAnsi(line, lineColumns, { hard: true, trim: false }).replaceAll("\n ", "\n").split("\n"))
    .flatMap((line) => line.match(longestLine) ?? [""]);
  if (lines.length <= Math.min(most, messageLines)) return lines;
  const kept = lines.slice(0, Math.max(1, Math.min(most - 1, messageLines)));
  const more = `… ${plural(lines.length - kept.length, "more line")}`;
  return most > kept.length ? [...kept, `${more}: relay show ${id}`] : [`${kept[0]} ${more}`];
}
