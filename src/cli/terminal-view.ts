import { type Client, clients, clientTitle } from "../core/client.ts";
import { describeDropped } from "../core/drop-report.ts";
import { makeVisible } from "../core/escape.ts";
import { isPersonAtTerminal } from "../core/identity.ts";
import type { Page, PageMessage } from "../core/leased-page.ts";
import { windowSize } from "../core/limits.ts";
import { typedPlaces } from "../core/message.ts";
import { pageHead } from "../core/page.ts";
import type { Counts } from "../core/store.ts";
import { plural } from "../core/words.ts";
import { showInPager } from "../platform/pager.ts";
import type { Context } from "./context.ts";
import { interruptible } from "./interrupt.ts";
import { slashCommand } from "./own-commands.ts";
import { ago, describeMessage, fileLines, lastDelivery } from "./render.ts";

type Style = (style: "bold" | "dim", text: string) => string;

/** A page for a person at a terminal. No text of a message stands at the beginning of a line, where relay's own words do. */
export function viewPage(page: Page, reader: Client, isPeek: boolean, context: Context): string {
  const { columns } = context.environment.screen();
  const style = styleOf(context);
  const head = pageHead(page, reader);
  const hint = isPeek && page.messages.length > 0 ? " They stay unread." : "";
  const more = page.remaining > page.inFlight ? [`The next ones: relay get --for ${reader}`] : [];
  return [
    `${style("bold", `${head.charAt(0).toUpperCase()}${head.slice(1)}.`)}${hint}`,
    ...describeDropped(page.dropped),
    ...page.messages.flatMap((message) => ["", ...viewMessage(message, reader, columns, context)]),
    ...(isPeek || more.length === 0 ? [] : ["", ...more]),
  ].join("\n");
}

/** The state of the buffer for a person at a terminal: what waits, what to do, who read last, and where it lies. */
export async function viewStatus(buffer: string, counts: Counts, context: Context): Promise<string> {
  const style = styleOf(context);
  const now = Date.now();
  const waiting: string[] = [];
  for (const reader of clients.toReversed()) {
    const count = counts.unread[reader];
    const verb = count === 1 ? "waits" : "wait";
    const line = count > 0 ? `${plural(count, "message")} ${verb} for` : "Nothing waits for";
    waiting.push(style(count > 0 ? "bold" : "dim", `${line} ${clientTitle(reader)}`));
    // whatever Claude Code started may show a model what it prints
    if (count > 0 && isPersonAtTerminal(context.environment)) waiting.push(...(await previews(reader, now, context)));
  }
  const deliveries = clients
    .toReversed()
    .flatMap((client) => lastDelivery(client, counts.delivered[client], now))
    .map((words) => words.join(" "));
  const kept = `${counts.total} of ${windowSize} messages kept in ${buffer}`;
  return [...waiting, "", ...nextSteps(counts, context), "", ...deliveries, style("dim", kept)].join("\n");
}

/** Shows a text: in the person's pager if the screen is too small, and right away without one. */
export async function show(text: string, { environment, write }: Context): Promise<{ ended: Promise<void> }> {
  const { columns, rows } = environment.screen();
  const lines = Bun.wrapAnsi(text, columns, { hard: true, trim: false }).split("\n").length;
  const pager = lines < rows ? null : environment.pager();
  const shown = pager && (await showInPager(pager, new TextEncoder().encode(`${text}\n`)));
  if (!shown) await interruptible(write(text));
  return shown ?? { ended: Promise.resolve() };
}

/** The lines of a message for a person at a terminal: its heading, and its text behind a bar. */
export function viewMessage(message: PageMessage, reader: Client, columns: number, context: Context): string[] {
  const style = styleOf(context);
  const { text, escaped } = makeVisible(message.message.replaceAll("\r\n", "\n"));
  const [title = "", ...details] = describeMessage(message, reader, escaped);
  const body = renderText(text.replaceAll("\t", "    "), message, columns - 2, context.environment.color("stdout"));
  const bar = style("dim", "│");
  const line = `${style("bold", title)}${style("dim", details.map((detail) => ` · ${detail}`).join(""))}`;
  const files = fileLines(message, columns);
  return [
    Bun.wrapAnsi(line, columns),
    ...body.map((line) => `${bar} ${line}`.trimEnd()),
    ...files,
    ...(files.length > 0
      ? [style("dim", `To save ${files.length === 1 ? "it" : "them"}: relay save ${message.id}`)]
      : []),
  ];
}

/** The lines of a safe text: a model's with its Markdown shown, the person's own as it is. */
function renderText(text: string, { typed_in }: PageMessage, width: number, color: boolean): string[] {
  const isMarkdown = !typed_in && !/^(diff --git|@@ -)/m.test(text);
  const rendered = isMarkdown ? renderMarkdown(text, width, color) : text;
  const lines = Bun.wrapAnsi(rendered, width, { hard: true, trim: false }).split("\n");
  const isEmpty = (line: string) => Bun.stripANSI(line).trim() === "";
  while (lines.length > 1 && isEmpty(lines.at(-1) ?? "")) lines.pop();
  return lines;
}

function renderMarkdown(text: string, width: number, color: boolean): string {
  const source = text.replace(/(?<! ) *$/gm, "  "); // two spaces keep the end of a line
  const plain = Bun.markdown.ansi(source, { colors: false, columns: 0 });
  // `&#x202e;` becomes the character that it names
  if (makeVisible(plain).escaped > 0 || !hasLetters(plain, text)) return text;
  // few terminals tell that they are white, where Bun's orange on black is loud
  return Bun.markdown
    .ansi(source, { colors: color, columns: width, light: false })
    .replaceAll("\u001b[48;5;236m\u001b[38;5;215m", "\u001b[36m");
}

/**
 * Whether a rendered text has each letter and digit of its source, in order. Markdown hides some: definitions of links,
 * addresses of pictures, cells beyond the columns of a table.
 */
function hasLetters(rendered: string, source: string): boolean {
  let at = 0;
  for (const [letter] of source.replace(/^(\s*[-*+] )\[[xX]\]/gm, "$1").matchAll(/[\p{L}\p{N}]/gu)) {
    at = rendered.indexOf(letter, at) + letter.length;
    if (at < letter.length) return false;
  }
  return true;
}

async function previews(reader: Client, now: number, context: Context): Promise<string[]> {
  const request = { reader, limit: windowSize, includeRead: false, size: "tool", origin: "command" } as const;
  const { messages, remaining } = await context.relay().store.peek({ ...request, project: null });
  const rows = messages.map((message) => ({
    id: `${message.id}`,
    age: ago(message.timestamp, now),
    text: `${previewNotes(message)}${firstLine(message.message)}`,
  }));
  const widest = (of: (row: (typeof rows)[number]) => string) => Math.max(...rows.map((row) => of(row).length));
  const [idWidth, ageWidth] = [widest(({ id }) => id), widest(({ age }) => age)];
  const { columns } = context.environment.screen();
  const style = styleOf(context);
  return [
    ...rows.map(({ id, age, text }) => {
      const start = `  ${id.padStart(idWidth)}  ${age.padEnd(ageWidth)}  `;
      return `${style("dim", start)}${cut(text, columns - start.length)}`;
    }),
    ...(remaining > 0 ? [style("dim", `  and ${remaining} more`)] : []),
  ];
}

function previewNotes({ sender, typed_in, project }: PageMessage): string {
  const notes = [
    ...(typed_in ? [`from you, ${typedPlaces[typed_in]}`] : []),
    ...(project === null ? [] : [`${sender === "code" ? "from" : "for"} ${project}`]),
  ];
  return notes.length > 0 ? `${notes.join(", ")}: ` : "";
}

/** The first line of a text that is not blank, safe to show. */
export function firstLine(message: string): string {
  const line = message.split("\n").find((line) => line.trim() !== "") ?? "";
  return makeVisible(line.trim().replace(/\s+/g, " ")).text || "(blank)";
}

/** The text in at most so many columns. */
export function cut(text: string, columns: number): string {
  return Bun.sliceAnsi(text, 0, Math.max(1, columns), "…");
}

function nextSteps({ unread }: Counts, { environment }: Context): string[] {
  const code = `In Claude Code type ${slashCommand("get", environment)}`;
  const ways: Record<Client, string> = { desktop: "In Claude Desktop say get", code };
  const readers = clients.toReversed().filter((client) => unread[client] > 0);
  if (readers.length === 0) return ['To send something: relay send --to code "the tests pass now"'];
  return readers.map((client) => `${ways[client]}, or read here: relay get --for ${client}`);
}

function styleOf({ style }: Context): Style {
  return (name, text) => (text === "" ? "" : style("stdout", name, text));
}
