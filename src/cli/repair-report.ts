import { windowSize } from "../core/limits.ts";
import { plural, ranges } from "../core/words.ts";
import type { Repair } from "../store/repair.ts";

/** What a repair did, for people. */
export function renderRepair(path: string, repair: Repair): string {
  if (repair.state === "absent")
    return `relay: there is no buffer at ${path}, so there is nothing to repair.`;
  if (repair.state === "sound") return `relay: the buffer ${path} is sound. Nothing was changed.`;
  const { saved, unreadable, aside } = repair;
  const list = (ids: readonly number[], most = ids.length) =>
    `${most < ids.length ? "at most " : ""}${plural(Math.min(ids.length, most), "message")} (${ranges(ids)})`;
  const rows = [
    ["saved", saved.length > 0 ? list(saved) : "no message"],
    ...(unreadable.length > 0 ? [["not saved", list(unreadable, windowSize - saved.length)]] : []),
    ["old file", aside],
  ];
  const lines = rows.map(([label = "", value = ""]) => `${label.padEnd(12)}${value}`);
  return [`relay: the buffer ${path} was damaged, and a new one is in its place.`, ...lines].join("\n");
}

/** The same, for programs. */
export function repairJson(path: string, repair: Repair) {
  return { ok: true, buffer: path, ...repair };
}
