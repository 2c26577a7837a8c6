import { type Client, clients, clientTitle, isClient } from "../core/client.ts";
import { ranges } from "../core/drop-report.ts";
import { counted, shownTime } from "../core/frames.ts";
import { windowSize } from "../core/limits.ts";
import type { Receipt } from "../core/relay.ts";
import type { Counts } from "../core/store.ts";
import type { Repair } from "../store/repair.ts";
import type { Salvage } from "../store/salvage.ts";

/** A receipt for people. */
export function renderReceipt({ id, unread, evicted_unread: dropped }: Receipt, to: Client): string {
  const waiting = `${unread} ${unread === 1 ? "waits" : "wait"} there`;
  const lines = [`relay: sent to ${clientTitle(to)} as message ${id}; ${waiting}.`];
  if (dropped.length > 0) {
    const which = `${counted(dropped.length, "unread message")} ${dropped.length === 1 ? "was" : "were"}`;
    lines.push(`relay: ${which} dropped because the buffer was full (${ranges(dropped)}).`);
  }
  return lines.join("\n");
}

/** What the buffer holds, for people; `strong` makes a number stand out. */
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

/** What a repair did, for people. */
export function renderRepair(path: string, repair: Repair): string {
  if (repair.state === "absent")
    return `relay: there is no buffer at ${path}, so there is nothing to repair.`;
  if (repair.state === "sound") return `relay: the buffer ${path} is sound. Nothing was changed.`;
  const rows = [...savedRows(repair.saved), ["old file", repair.aside]];
  return `relay: the buffer ${path} was damaged, and was rebuilt.\n${table(12, rows)}`;
}

function savedRows({ messages, cut, unreadable }: Salvage): string[][] {
  const ids = messages.map(({ id }) => Number(id));
  const rows = [
    ["saved", ids.length > 0 ? `${counted(ids.length, "message")} (${ranges(ids)})` : "no message"],
  ];
  for (const { id, sender } of cut) {
    const from = isClient(sender) ? ` from ${clientTitle(sender)}` : "";
    rows.push(["not saved", `message ${id}${from}: only its beginning can be read`]);
  }
  if (unreadable > 0)
    rows.push(["not saved", `what stood in ${counted(unreadable, "place")} that cannot be read at all`]);
  return rows;
}

function table(width: number, rows: readonly string[][]): string {
  return rows.map(([label = "", value = ""]) => label.padEnd(width) + value).join("\n");
}

/** What a repair did, for programs. */
export function repairJson(path: string, repair: Repair) {
  if (repair.state !== "repaired") return { ok: true, buffer: path, state: repair.state };
  const { messages, cut, unreadable } = repair.saved;
  const saved = messages.map(({ id }) => Number(id));
  return { ok: true, buffer: path, state: repair.state, saved, cut, unreadable, aside: repair.aside };
}
