import { type Client, clients, clientTitle, isClient } from "../core/client.ts";
import { renderDropped } from "../core/drop-report.ts";
import { windowSize } from "../core/limits.ts";
import type { Receipt } from "../core/relay.ts";
import type { Counts } from "../core/store.ts";
import { plural, ranges, shownTime } from "../core/words.ts";
import type { Repair } from "../store/repair.ts";

/** A receipt for people. */
export function renderReceipt({ id, unread, evicted_unread: evicted }: Receipt, to: Client): string {
  const waiting = `${unread} ${unread === 1 ? "waits" : "wait"} there`;
  const dropped = renderDropped(evicted.map((id) => ({ id, cleared_by: null })));
  return [`relay: sent to ${clientTitle(to)} as message ${id}; ${waiting}.`, ...dropped].join("\n");
}

/** The counts of the buffer, for people; `strong` emphasizes a number. */
export function renderStatus(
  buffer: string,
  { total, unread, latest }: Counts,
  strong: (text: string) => string,
): string {
  return table(20, [
    ["buffer", buffer],
    ...clients.map((client) => [`waiting for ${clientTitle(client)}`, strong(String(unread[client]))]),
    ["kept", `${total} of ${windowSize}`],
    ["latest", latest ? describeLatest(latest) : "none"],
  ]);
}

// Another program may have written the row, with anything for a sender.
function describeLatest({ id, sender, timestamp }: NonNullable<Counts["latest"]>): string {
  return `message ${id}, from ${isClient(sender) ? sender : "an unknown sender"}, ${shownTime(timestamp)}`;
}

/** The outcome of a repair, for people. */
export function renderRepair(path: string, repair: Repair): string {
  if (repair.state === "absent") return `relay: there is no buffer at ${path}, so there is nothing to repair.`;
  if (repair.state === "sound") return `relay: the buffer ${path} is sound. Nothing was changed.`;
  const { saved, unreadable, aside } = repair;
  const list = (ids: readonly number[], most = ids.length) =>
    `${most < ids.length ? "at most " : ""}${plural(Math.min(ids.length, most), "message")} (${ranges(ids)})`;
  const rows = [
    ["saved", saved.length > 0 ? list(saved) : "no message"],
    ...(unreadable.length > 0 ? [["not saved", list(unreadable, windowSize - saved.length)]] : []),
    ["old file", aside],
  ];
  return `relay: the buffer ${path} was damaged, and a new one is in its place.\n${table(12, rows)}`;
}

function table(width: number, rows: readonly string[][]): string {
  return rows.map(([label = "", value = ""]) => label.padEnd(width) + value).join("\n");
}
