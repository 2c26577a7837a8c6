import type { ClearedBy, Dropped } from "./store.ts";
import { plural, ranges } from "./words.ts";

const clearers: Record<ClearedBy, string> = {
  desktop: " by Desktop",
  code: " by Code",
  "command line": " on the command line",
  unknown: "",
};

/** Reports dropped messages to their reader, as relay's own lines. */
export function renderDropped(dropped: readonly Dropped[]): string[] {
  return describeDropped(dropped).map((sentence) => `relay: ${sentence}`);
}

/** A sentence for the messages that made room, and one for each clear's author. */
export function describeDropped(dropped: readonly Dropped[]): string[] {
  return [...Map.groupBy(dropped, ({ cleared_by: by }) => by)].map(([by, group]) => {
    const subject = `${plural(group.length, "unread message")} ${group.length === 1 ? "was" : "were"}`;
    if (by) return `${subject} cleared${clearers[by] ?? ""}.`;
    return `${subject} dropped because the buffer was full (${ranges(group.map(({ id }) => id))}).`;
  });
}
