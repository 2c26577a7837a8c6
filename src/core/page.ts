import { type Client, clientTitle, otherClient } from "./client.ts";
import { renderDropped } from "./drop-report.ts";
import { type Destination, frameMessages, type Labels, quoteProject } from "./frames.ts";
import type { Origin, Page, PageMessage } from "./leased-page.ts";
import { readAt } from "./message.ts";
import { fitPage } from "./page-size.ts";
import { describeOthers, type ProjectCount } from "./project.ts";
import type { ShownFiles } from "./shown-file.ts";
import { plural } from "./words.ts";

const originSentences: Record<Origin, string> = {
  command: "Asked for on the command line.",
  prompt: "Asked for with the prompt get.",
  tool: "Fetched by a tool call.",
  typed: "Asked for by the person, who typed /get.",
  "approved tool": "Fetched by a tool call that the person approved in Claude Code.",
  "hosted tool": "Fetched by a tool call, approved by the program that answers for Claude Code here.",
};

function destinationOf(origin: Origin): Destination {
  return origin === "typed" || origin === "prompt" ? "prompt" : "result";
}

/** What a page's renderer knows besides the messages. */
export interface PageContext {
  /** The messages that the person was shown. */
  announced?: readonly number[];
  files?: ShownFiles | undefined;
}

/** A page as people and models read it (design.md, "Pages, as models see them"). `nonce` names its frames. */
export function renderPage(
  page: Page,
  reader: Client,
  origin: Origin,
  nonce: () => string,
  { announced = [], files }: PageContext = {},
): string {
  const { messages, tooLong } = page;
  const labels: Labels = (message) => (isUnread(message, reader) ? [] : ["read before"]);
  return [
    `relay: ${pageHead(page, reader)}. ${messages.length > 0 ? originSentences[origin] : ""}`.trimEnd(),
    ...missing(announced, messages, tooLong),
    ...othersLine(page.others, origin).map((line) => `relay: ${line}`),
    ...renderDropped(page.dropped),
    ...(tooLong === null ? [] : [tooLongLine(tooLong)]),
    ...frameMessages(messages, destinationOf(origin), labels, nonce, files),
  ].join("\n");
}

/** The newest messages of both sides, for a client that relay cannot identify. */
export function renderLatest(messages: readonly PageMessage[], origin: Origin, nonce: () => string): string {
  if (messages.length === 0) return "relay: nothing in the buffer.";
  const head = `relay: the newest ${plural(messages.length, "message")} of both sides, none marked as read. ${originSentences[origin]}`;
  const labels: Labels = (message) => {
    const reader = otherClient(message.sender);
    return isUnread(message, reader) ? [`not yet read by ${clientTitle(reader)}`] : [];
  };
  return [head, ...frameMessages(messages, destinationOf(origin), labels, nonce)].join("\n");
}

const againLabels: Labels = (message) => (isUnread(message, "code") ? [] : ["shown before"]);

/** Those of the messages, from the first one on, that a page for `/get again` or `/get ID` holds. */
export function fitAgain(messages: readonly PageMessage[]): readonly PageMessage[] {
  return messages.slice(0, fitPage(messages, [], "typed", againLabels).count);
}

/** The page for `/get again` or `/get ID`; `words` are those after `/get`. */
export function renderAgain(
  messages: readonly PageMessage[],
  words: string,
  nonce: () => string,
  { announced = [], files }: PageContext = {},
): string {
  const shown = fitAgain(messages);
  const hidden = messages.length - shown.length;
  const note = `relay: ${plural(hidden, "message")} of it did not fit. Call relay_fetch with unread_only false to see them; the person is asked first.`;
  return [
    `relay: ${againHead(shown, words)}. Asked for by the person, who typed /get ${words}.`,
    ...missing(announced, messages),
    ...(hidden > 0 ? [note] : []),
    ...frameMessages(shown, "prompt", againLabels, nonce, files),
  ].join("\n");
}

/** What such a page holds: `the last page once more, 2 messages from Desktop`, or `message 41, from Desktop`. */
export function againHead(shown: readonly PageMessage[], words: string): string {
  const sender = clientTitle(shown[0]?.sender ?? "desktop");
  if (words !== "again") return `message ${words}, from ${sender}`;
  return `the last page once more, ${plural(shown.length, "message")} from ${sender}`;
}

// Another reader or a clear may be faster than the command that brings what its hook has shown.
function missing(announced: readonly number[], messages: readonly PageMessage[], tooLong: number | null = null) {
  const gone = announced.filter((id) => id !== tooLong && !messages.some((message) => message.id === id)).length;
  if (gone === 0) return [];
  return [
    `relay: ${plural(gone, "message")} that the person was just shown ${gone === 1 ? "is" : "are"} missing here: read elsewhere or cleared meanwhile.`,
  ];
}

/** A sentence for the messages of other projects, and how to get them; none without any. */
export function othersLine(others: readonly ProjectCount[], origin: Origin = "typed"): string[] {
  if (others.length === 0) return [];
  const way = origin === "typed" ? "/get all brings them" : 'relay_fetch with project "*" brings them';
  const named = describeOthers(others, (project) => quoteProject(project, destinationOf(origin)));
  return [`Messages for other projects wait (${named}). ${way}.`];
}

/** What a page holds, and what waits beside it: `2 messages from Desktop, 3 more waiting`. */
export function pageHead(page: Page, reader: Client): string {
  const sender = clientTitle(otherClient(reader));
  if (page.messages.length === 0 && page.tooLong !== null) return waiting(page, `waiting from ${sender}`).join(", ");
  const unread = page.messages.filter((message) => isUnread(message, reader)).length;
  const read = page.messages.length - unread;
  return [
    unread > 0 ? `${plural(unread, "message")} from ${sender}` : `nothing new from ${sender}`,
    ...(read > 0 ? [`${read} read before`] : []),
    ...waiting(page, "more waiting"),
  ].join(", ");
}

function waiting({ remaining, inFlight }: Page, words: string): string[] {
  const more = remaining > 0 ? [`${remaining} ${words}`] : [];
  if (inFlight === 0) return more;
  const part = inFlight === remaining ? "" : `${inFlight} of them `;
  return [...more, `${part}on ${inFlight === 1 ? "its" : "their"} way elsewhere`];
}

function tooLongLine(id: number): string {
  return `relay: message ${id} is too long for a prompt. Call relay_fetch once, with limit 1, to get it whole; the person is asked first.`;
}

function isUnread(message: PageMessage, reader: Client): boolean {
  return readAt(message, reader) === null;
}
