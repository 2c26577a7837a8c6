import { clientTitle, isClient } from "../core/client.ts";
import { ranges } from "../core/drop-report.ts";
import { counted } from "../core/frames.ts";
import type { Repair } from "../store/repair.ts";
import type { SavedRow } from "../store/salvage.ts";

/** What a repair did, for people. */
export function tellRepair(path: string, repair: Repair): string {
  if (repair.state === "absent")
    return `relay: there is no buffer at ${path}, so there is nothing to repair.`;
  if (repair.state === "sound") return `relay: the buffer ${path} is sound. Nothing was changed.`;
  const { messages, cut, unreadable } = repair.saved;
  const rows = [
    [
      "saved",
      messages.length > 0
        ? `${counted(messages.length, "message")} (${ranges(idsOf(messages))})`
        : "no message",
    ],
  ];
  for (const { id, sender } of cut) {
    const from = isClient(sender) ? ` from ${clientTitle(sender)}` : "";
    rows.push(["not saved", `message ${id}${from}: only its beginning can be read`]);
  }
  if (unreadable > 0) {
    rows.push(["not saved", `what stood in ${counted(unreadable, "place")} that cannot be read at all`]);
  }
  rows.push(["old file", repair.aside]);
  const lines = rows.map(([label = "", value = ""]) => `${label.padEnd(12)}${value}`);
  return [`relay: the buffer ${path} was damaged, and was rebuilt.`, ...lines].join("\n");
}

/** The same, for programs. */
export function repairJson(path: string, repair: Repair) {
  if (repair.state !== "repaired") return { ok: true, buffer: path, state: repair.state };
  const { messages, cut, unreadable } = repair.saved;
  return {
    ok: true,
    buffer: path,
    state: repair.state,
    saved: idsOf(messages),
    cut,
    unreadable,
    aside: repair.aside,
  };
}

function idsOf(messages: readonly SavedRow[]): number[] {
  return messages.map(({ id }) => Number(id));
}
