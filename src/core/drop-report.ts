import type { ClearedBy, Dropped } from "./leased-page.ts";
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

/** A sentence for the messages that left the full window, and one for each clear's author. */
export function describeDropped(dropped: readonly Dropped[]): string[] {
  if (dropped.length === 0) return []; // the first groupBy of a process takes 0.2 ms
  return [...Map.groupBy(dropped, ({ cleared_by: by, kept }) => by ?? kept)].map(([reason, group]) => {
    const subject = plural(group.length, "unread message");
    const ids = group.map(({ id }) => id);
    if (reason === true) {
      const [them, first] = group.length === 1 ? ["it", "it"] : ["them", "the first"];
      return `${subject} left the window, which was full (${ranges(ids)}). Nothing is lost; relay log lists ${them}, and /get ${ids[0]} in Claude Code brings ${first}.`;
    }
    const were = `${subject} ${group.length === 1 ? "was" : "were"}`;
    if (reason === false) return `${were} dropped because the window was full (${ranges(ids)}).`;
    return `${were} cleared${clearers[reason] ?? ""}.`;
  });
}
