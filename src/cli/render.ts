import { describeFile } from "../core/attachment.ts";
import { type Client, clients, clientTitle, isClient } from "../core/client.ts";
import { renderDropped } from "../core/drop-report.ts";
import type { Origin, PageMessage, Source } from "../core/leased-page.ts";
import { historyMessages, windowSize } from "../core/limits.ts";
import { firstCharacters, readAt, typedPlaces } from "../core/message.ts";
import { describeOthers, describeUnseen, projectName } from "../core/project.ts";
import type { Receipt } from "../core/relay.ts";
import { withSafeNames } from "../core/shown-file.ts";
import type { Counts, Delivered } from "../core/store.ts";
import { plural, ranges, shownTime, thousands } from "../core/words.ts";
import type { Environment } from "../platform/environment.ts";
import type { Repair } from "../store/repair.ts";

/** A receipt for people; `added` is the number of bytes that came from standard input beside a text. */
export function renderReceipt(receipt: Receipt, to: Client, { historyDays }: Environment, added = 0): string {
  const { id, unread, evicted_unread: evicted, project, seen_projects: seen, files } = receipt;
  const waiting = `${unread} ${unread === 1 ? "waits" : "wait"} there`;
  const parts = added > 0 ? ` (your text and ${thousands(added)} bytes of standard input)` : "";
  const attached = files ? `, with ${files.map(describeFile).join(", ")}` : "";
  const recipient = to === "code" && project ? `Code (${project})` : clientTitle(to);
  return [
    `relay: sent to ${recipient} as message ${id}${parts}${attached}; ${waiting}.`,
    ...(project && seen ? [`relay: ${describeUnseen(project, seen)}`] : []),
    ...renderDropped(evicted.map((id) => ({ id, kept: historyDays() > 0, cleared_by: null }))),
  ].join("\n");
}

/** The counts of the buffer, without a text. */
export function renderStatus(buffer: string, counts: Counts, now: number): string {
  const { total, history, unread, projects, latest, delivered } = counts;
  const named = projects.length > 0 ? ` (${describeOthers(projects)})` : "";
  return table(20, [
    ["buffer", buffer],
    ...clients.map((client) => [
      `waiting for ${clientTitle(client)}`,
      `${unread[client]}${client === "code" ? named : ""}`,
    ]),
    ["kept", `${total} of ${windowSize}`],
    ...(history > 0 ? [["history", plural(history, "message")]] : []),
    ["latest", latest ? describeLatest(latest) : "none"],
    ...clients.flatMap((client) => lastDelivery(client, delivered[client], now)),
  ]);
}

// Another program may have written the row, with anything for a sender.
function describeLatest({ id, sender, timestamp }: NonNullable<Counts["latest"]>): string {
  return `message ${id}, from ${isClient(sender) ? sender : "an unknown sender"}, ${shownTime(timestamp)}`;
}

// Who looks at a window only now and then still sees a delivery that was none of theirs, in this window or another.
const newsMs = 300_000;

/** A delivery of the last five minutes as the status line tells it; nothing of an older one. */
export function renderNews(client: Client, delivered: Delivered | null, now: number): string[] {
  if (!delivered || !(Math.abs(now - Date.parse(delivered.at)) < newsMs)) return [];
  return [`${clientTitle(client)} got ${delivered.count} ${ago(delivered.at, now)} (${describeSource(delivered)})`];
}

/** The last delivery to a client, as the words of a line; none if there was none. */
export function lastDelivery(client: Client, delivered: Delivered | null, now: number): string[][] {
  if (!delivered) return [];
  const { count, at } = delivered;
  return [
    [`${clientTitle(client)} last got`, `${plural(count, "message")} ${ago(at, now)}: ${describeSource(delivered)}`],
  ];
}

/** How long ago a stored time was; the time itself after two days. */
export function ago(time: string, now: number): string {
  // not the time of day: the first use of the local time zone costs 4 to 7 ms
  const minutes = Math.floor((now - Date.parse(time)) / 60_000);
  if (minutes === 0) return "just now";
  if (!(minutes > 0 && minutes < 48 * 60)) return shownTime(time);
  return minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

/** A stored time on the person's own clock, and how long ago it was. */
function localTime(stored: string, now: number): string {
  const time = new Date(stored);
  if (Number.isNaN(time.getTime())) return "at an unknown time";
  const isToday = time.toDateString() === new Date(now).toDateString();
  const day = isToday
    ? ""
    : `${time.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" })}, `;
  const age = now - time.getTime();
  return `${day}${clockTime(time)}${age >= 0 && age < 48 * 3_600_000 ? ` (${ago(stored, now)})` : ""}`;
}

/** The time of day on the person's own clock: `14:03`. */
export function clockTime(time: Date): string {
  // Intl takes 2 ms more
  return [time.getHours(), time.getMinutes()].map((part) => `${part}`.padStart(2, "0")).join(":");
}

/** The parts of a message's heading: its id and sender, its local time, and what there is to say of its text. */
export function describeMessage(message: PageMessage, reader: Client, escaped: number): string[] {
  const sender = message.typed_in ? `you, ${typedPlaces[message.typed_in]}` : clientTitle(message.sender);
  const { project, reply_to, answered } = message;
  return [
    `Message ${message.id} from ${sender}`,
    localTime(message.timestamp, Date.now()),
    ...(project === null ? [] : [`${message.sender === "code" ? "from" : "for"} ${project}`]),
    ...(reply_to === null ? [] : [`answers ${reply_to}${answered === null ? "" : `: ${firstCharacters(answered)}`}`]),
    ...(readAt(message, reader) === null ? [] : ["read before"]),
    ...(message.redelivered ? ["may have been shown before"] : []),
    ...(escaped > 0 ? [`${plural(escaped, "control character")} escaped`] : []),
  ];
}

/** The names of a message's files: `plot.png, results.csv`. */
export function fileNames({ files }: Pick<PageMessage, "files">): string {
  return withSafeNames(files)
    .map(({ name }) => name)
    .join(", ");
}

/** The files of a message, each in a line of at most so many columns. */
export function fileLines({ files }: Pick<PageMessage, "files">, columns: number): string[] {
  return withSafeNames(files).map(({ kept, ...file }) =>
    Bun.sliceAnsi(`+ ${describeFile(file)}${kept ? "" : ", no longer kept"}`, 0, columns, "…"),
  );
}

const origins: Record<Origin, string> = {
  command: "command",
  prompt: "picked the prompt get",
  tool: "tool call",
  typed: "typed /get",
  "approved tool": "approved",
  "hosted tool": "approved by the program that answers for Claude Code here",
};

function describeSource({ origin, project }: Source): string {
  const way = origins[origin] ?? "an unknown way";
  return project ? `${way} in ${projectName(project)}` : way;
}

/** The outcome of a repair, for people. */
export function renderRepair(path: string, repair: Repair): string {
  if (repair.state === "absent") return `relay: there is no buffer at ${path}, so there is nothing to repair.`;
  if (repair.state === "sound") return `relay: the buffer ${path} is sound. Nothing was changed.`;
  const { saved, unreadable, saved_history, unreadable_history, aside } = repair;
  const list = (ids: readonly number[], most = ids.length) =>
    `${most < ids.length ? "at most " : ""}${plural(Math.min(ids.length, most), "message")} (${ranges(ids)})`;
  const lost = [...new Set([...unreadable, ...unreadable_history])]; // an id may be tried in both
  const most =
    (unreadable.length > 0 ? windowSize - saved.length : 0) +
    (unreadable_history.length > 0 ? historyMessages - saved_history.length : 0);
  const rows = [
    ["saved", saved.length > 0 ? list(saved) : "no message"],
    ...(saved_history.length > 0 ? [["history", list(saved_history)]] : []),
    ...(lost.length > 0 ? [["not saved", list(lost, most)]] : []),
    ["old file", aside],
  ];
  return `relay: the buffer ${path} was damaged, and a new one is in its place.\n${table(12, rows)}`;
}

function table(width: number, rows: readonly string[][]): string {
  return rows.map(([label = "", value = ""]) => label.padEnd(width) + value).join("\n");
}
