import { clients } from "../core/client.ts";
import { errorMessage } from "../core/errors.ts";
import { makeVisible } from "../core/escape.ts";
import type { PageRequest } from "../core/leased-page.ts";
import { refusalMs, windowSize } from "../core/limits.ts";
import { othersLine, pageHead } from "../core/page.ts";
import { describeOthers, splitWaiting } from "../core/project.ts";
import type { CodeSession, Counts, Store, Ticket } from "../core/store.ts";
import { checkMessage } from "../core/validate.ts";
import { plural, quoteValue } from "../core/words.ts";
import type { Context } from "./context.ts";
import { nameToType } from "./own-commands.ts";
import { lastDelivery, renderReceipt } from "./render.ts";

// The person waits for the prompt. A slower notifier is stopped, and a server tries again when the lease ends, after 20 s.
const notifierMs = 1_000;

// Longer than a writer holds the lock, and shorter than Claude Code waits for the hook.
const sendLockTimeoutMs = 2_000;

/** The request for the page of a typed `/get`. */
export const typedRequest: PageRequest = {
  reader: "code",
  limit: windowSize,
  includeRead: false,
  size: "typed",
  origin: "typed",
  project: null, // the ticket has it
};

/** Ends a typed command before its slot runs, without a turn of the model. Claude Code shows the text, and nothing else. */
export function answer(text: string): string {
  const hookSpecificOutput = { hookEventName: "UserPromptExpansion", suppressOriginalPrompt: true };
  return JSON.stringify({ decision: "block", reason: `relay: ${text}`, hookSpecificOutput });
}

const somethingAsks = answer(
  `something in this session asked for your messages by itself, so this brings none. Wait ${refusalMs / 1_000} seconds, and type it once more; /tasks lists what runs in the background.`,
);

/**
 * Does what the person typed after `/get`: answers it on the screen, or issues a ticket for a page and shows a summary.
 * That nothing waits any program may know, by `relay status`; for all else Claude Code itself has to ask.
 */
export async function answerGet(
  typed: string,
  session: CodeSession,
  isFromClaudeCode: () => Promise<boolean>,
  context: Context,
): Promise<void> {
  const words = typed
    .trim()
    .toLowerCase()
    .replace(/\s+/g, " ")
    .replace(/^#(?=\d)/, "");
  const store = context.typedStore();
  const found = await find(words, session, store);
  if (typeof found === "string") return context.print(answer(found));
  if (!(await isFromClaudeCode())) return; // it costs 0.3 ms
  if (!found) return context.print(answer(await answerWords(words, session, context)));
  const { summary, ...ticket } = found;
  const isIssued = await store.issueTicket(session, ticket);
  context.print(isIssued ? JSON.stringify({ systemMessage: `relay: ${summary}` }) : somethingAsks);
}

/** The ticket for the page that the words ask for, and its summary, or a sentence if it is empty; `null` for other words. */
async function find(
  words: string,
  { project }: CodeSession,
  store: Store,
): Promise<(Ticket & { summary: string }) | string | null> {
  if (words === "" || words === "all") {
    const page = await store.peek({ ...typedRequest, project, everyProject: words === "all" });
    const { messages, others, dropped, tooLong } = page;
    if (messages.length + dropped.length === 0 && tooLong === null)
      return [`${pageHead(page, "code")}.`, ...othersLine(others)].join(" ");
    // the local time of a summary takes 4 to 7 ms
    const { summarizePage } = await import("./summary.ts");
    const ids = [...messages.map(({ id }) => id), ...(tooLong === null ? [] : [tooLong])];
    return { words, ids, summary: summarizePage(page) };
  }
  const isId = /^\d+$/.test(words);
  if (words !== "again" && !isId) return null;
  const messages = await (isId ? store.find([Number(words)]) : store.lastPage("code", project));
  if (messages.length === 0) {
    return isId ? `there is no message ${words}, here or in the history.` : "nothing is left of the last page.";
  }
  const { summarizeAgain } = await import("./summary.ts");
  return { words, ids: messages.map(({ id }) => id), summary: summarizeAgain(messages, words) };
}

async function answerWords(
  words: string,
  { project }: CodeSession,
  { environment, typedStore }: Context,
): Promise<string> {
  const store = typedStore();
  const name = nameToType("get", environment) ?? "get";
  if (words === "status") return renderWaiting(await store.counts(), project, name);
  if (words === "clear") {
    const { renderCounts } = await import("./clear.ts");
    const counts = await store.counts();
    if (counts.total + counts.history === 0) return "there is no message to delete.";
    return `this would delete ${renderCounts(counts)}. To do it, type /${name} clear yes`;
  }
  if (words === "clear yes") {
    const { clearAll } = await import("../server/code-files.ts");
    const { renderDeletion } = await import("./clear.ts");
    return renderDeletion(await clearAll(store, "code", environment.bufferPath())).replace(/^relay: /, "");
  }
  const start = words === "help" ? "you" : `/${name} takes no ${quoteValue(words)}. You`;
  return `${start} can type:\n${renderHelp(name, nameToType("send", environment) ?? "send")}`;
}

function renderWaiting(counts: Counts, project: string | null, name: string): string {
  const { total, history, unread, projects, delivered } = counts;
  const { own, others } = splitWaiting(unread.code, projects, project);
  const here = own > 0 ? `${plural(own, "message")} from Desktop; type /${name}` : "nothing from Desktop";
  const last = clients.toReversed().flatMap((client) => lastDelivery(client, delivered[client], Date.now()));
  return [
    `waiting here: ${here}`,
    ...(others.length > 0 ? [`waiting elsewhere: ${describeOthers(others)}; type /${name} all`] : []),
    `waiting for Desktop: ${unread.desktop > 0 ? plural(unread.desktop, "message") : "nothing"}`,
    `kept: ${total} of ${windowSize}${history > 0 ? `, and ${history} in the history` : ""}`,
    ...last.map((words) => words.join(" ")),
  ].join("\n");
}

function renderHelp(get: string, send: string): string {
  const rows = [
    [`/${get}`, "what Desktop sent"],
    [`/${get} again`, "the last page once more"],
    [`/${get} 41`, "message 41 once more"],
    [`/${get} all`, "what Desktop sent to any project"],
    [`/${get} status`, "how many messages wait"],
    [`/${get} clear`, "delete all messages"],
    [`/${send} WORDS`, "send words to Desktop"],
  ];
  const width = Math.max(...rows.map(([command = ""]) => command.length)) + 2;
  return rows.map(([command = "", what]) => command.padEnd(width) + what).join("\n");
}

/** Sends what the person typed after `/send`, and says so. */
export async function answerSend(typed: string, context: Context): Promise<void> {
  const words = typed.trim();
  const name = nameToType("send", context.environment) ?? "send";
  if (words === "")
    return context.print(answer(`type /${name} and the words for Desktop. Claude here does not see them.`));
  const relay = context.relay({ lockTimeoutMs: sendLockTimeoutMs });
  try {
    const { project } = context.environment;
    const receipt = await relay.send({
      sender: "code",
      message: checkMessage(words),
      typed_in: "claude-code",
      project,
    });
    context.print(answer(renderReceipt(receipt, "desktop", context.environment).replace(/^relay: /, "")));
  } catch (error) {
    return context.print(answer(`nothing was sent: ${makeVisible(errorMessage(error)).text}`));
  }
  await Promise.race([relay.notifications.finish(), Bun.sleep(notifierMs)]);
  relay.notifications.stop();
}
