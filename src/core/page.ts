import { type Client, clientTitle, otherClient } from "./client.ts";
import { tellLosses } from "./drop-report.ts";
import { counted, frameMessages } from "./frames.ts";
import { type Page, type PageMessage, readBy } from "./store.ts";

/** How a page was asked for, as far as relay knows. */
export type Asked = "command" | "prompt" | "tool" | "approved tool" | "typed";

const askedFor: Record<Asked, string> = {
  command: "Asked for on the command line.",
  prompt: "Asked for with the prompt get.",
  tool: "Fetched by a tool call.",
  typed: "Asked for by the person, who typed /get.",
  "approved tool": "Fetched by a tool call that the person approved in Claude Code.",
};

/**
 * A fetched page as people and models read it: design.md, "Framing". `nonce` makes up the names of frames until one
 * is found that no text contains.
 */
export function framePage(page: Page, reader: Client, asked: Asked, nonce: () => string): string {
  const sender = clientTitle(otherClient(reader));
  const isNew = (message: PageMessage) => readBy(message, reader) === null;
  const fresh = page.messages.filter(isNew).length;
  const before = page.messages.length - fresh;
  const head = [
    fresh > 0 ? `${counted(fresh, "message")} from ${sender}` : `nothing new from ${sender}`,
    ...(before > 0 ? [`${before} read before`] : []),
    ...waiting(page),
  ].join(", ");
  const labels = (message: PageMessage) => (isNew(message) ? [] : ["read before"]);
  return lines(`relay: ${head}. ${page.messages.length > 0 ? askedFor[asked] : ""}`.trimEnd(), [
    ...tellLosses(page.losses, reader),
    ...frameMessages(page.messages, labels, nonce),
  ]);
}

/** The newest messages of both sides, for a client that nobody could identify. */
export function frameLatest(messages: readonly PageMessage[], asked: Asked, nonce: () => string): string {
  if (messages.length === 0) return lines("relay: nothing in the buffer.", []);
  const head = `relay: the newest ${counted(messages.length, "message")} of both sides, none marked as read. ${askedFor[asked]}`;
  const labels = (message: PageMessage) => {
    const reader = otherClient(message.sender);
    return readBy(message, reader) ? [] : [`not yet read by ${clientTitle(reader)}`];
  };
  return lines(head, frameMessages(messages, labels, nonce));
}

/** What a page says of how much else waits. */
export function waiting(page: Page): string[] {
  const more = page.remaining > 0 ? [`${page.remaining} more waiting`] : [];
  if (page.elsewhere === 0) return more;
  const which = page.elsewhere === page.remaining ? "" : `${page.elsewhere} of them `;
  return [...more, `${which}on ${page.elsewhere === 1 ? "its" : "their"} way elsewhere`];
}

function lines(head: string, rest: string[]): string {
  return [head, ...rest].join("\n");
}
