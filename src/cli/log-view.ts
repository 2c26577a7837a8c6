import { clientTitle, otherClient } from "../core/client.ts";
import { readAt } from "../core/message.ts";
import type { LoggedMessage } from "../core/store.ts";
import type { Context } from "./context.ts";
import { clockTime, fileNames } from "./render.ts";
import { cut, firstLine } from "./terminal-view.ts";

interface Cell {
  text: string;
  style: "dim" | "bold" | "red";
}

/** One line for each message, below the day on which it was sent. On a terminal in its width, elsewhere uncut. */
export function viewLog(messages: readonly LoggedMessage[], { environment, style }: Context): string {
  const columns = environment.terminal.stdout ? environment.screen().columns : Number.POSITIVE_INFINITY;
  const idWidth = `${messages.at(-1)?.id}`.length;
  const rows = messages.map((message) => ({ message, cells: cellsOf(message, idWidth) }));
  const widths = [0, 1, 2, 3].map((at) => Math.max(...rows.map(({ cells }) => cells[at]?.text.length ?? 0)) + 2);
  const textColumns = columns - widths.reduce((sum, width) => sum + width, 0);
  const line = ({ message, cells }: (typeof rows)[number]) => {
    const start = cells.map((cell, at) => style("stdout", cell.style, cell.text) + spaces(cell, widths[at]));
    return start.join("") + cut(textOf(message, textColumns), textColumns);
  };
  return rows
    .flatMap((row, at) => {
      const [before, day] = [rows[at - 1], dayOf(row.message)];
      if (before && dayOf(before.message) === day) return [line(row)];
      return [...(before ? [""] : []), style("stdout", "bold", day), line(row)];
    })
    .join("\n");
}

function spaces({ text }: Cell, width = 0): string {
  return " ".repeat(width - text.length);
}

function cellsOf(message: LoggedMessage, idWidth: number): Cell[] {
  const { id, sender, timestamp, typed_in } = message;
  const sent = new Date(timestamp);
  return [
    { text: `${id}`.padStart(idWidth), style: "dim" },
    { text: isKnown(sent) ? clockTime(sent) : "", style: "dim" },
    { text: typed_in ? `you to ${clientTitle(otherClient(sender))}` : clientTitle(sender), style: "dim" },
    stateOf(message),
  ];
}

function stateOf(message: LoggedMessage): Cell {
  const read = readAt(message, otherClient(message.sender));
  if (read === null) return message.left ? { text: "✗ unread", style: "red" } : { text: "· waits", style: "bold" };
  const time = new Date(read);
  if (!isKnown(time)) return { text: "✓", style: "dim" };
  const isSameDay = time.toDateString() === new Date(message.timestamp).toDateString();
  const day = isSameDay ? "" : `${time.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, `;
  return { text: `✓ ${day}${clockTime(time)}`, style: "dim" };
}

/** The first line of a message, behind the id of the one that it answers, its project and its files. */
function textOf(message: LoggedMessage, columns: number): string {
  const { project, reply_to, files } = message;
  const third = (text: string) => cut(text, columns / 3);
  return [
    ...(reply_to === null ? [] : [`  ↳ ${reply_to}`]),
    ...(project === null ? [] : [`[${third(project)}]`]),
    ...(files.length === 0 ? [] : [`+ ${third(fileNames(message))} ·`]),
    firstLine(message.message),
  ].join(" ");
}

function dayOf({ timestamp }: LoggedMessage): string {
  const time = new Date(timestamp);
  if (!isKnown(time)) return "At an unknown time";
  return time.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}

// Any program can write the column.
function isKnown(time: Date): boolean {
  return !Number.isNaN(time.getTime());
}
