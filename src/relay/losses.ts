import type { Loss } from "../buffer/buffer.ts";
import type { Client } from "../client.ts";
import { counted } from "./frames.ts";

/** What a client is to be told of messages that went unread: those that waited for it, then those it wrote. */
export function tellLosses(losses: readonly Loss[], audience: Client): string[] {
  const told: string[] = [];
  for (const own of [false, true]) {
    const concerned = losses.filter((loss) => (loss.sender === audience) === own);
    for (const [by, group] of Map.groupBy(concerned, (loss) => loss.cleared_by)) {
      const which = own
        ? `${counted(group.length, "message")} you sent`
        : counted(group.length, "unread message");
      const fate = [
        group.length === 1 ? "was" : "were",
        by ? "cleared" : "dropped",
        ...(own ? ["unread"] : []),
      ].join(" ");
      told.push(
        `relay: ${which} ${fate}${by ? clearers[by] : ` because the buffer was full (${ranges(group)})`}.`,
      );
    }
  }
  return told;
}

const clearers = {
  desktop: " by Desktop",
  code: " by Code",
  "command line": " on the command line",
  unknown: "",
};

/** Numbers in order, neighbours joined: `31-34, 40`. */
function ranges(losses: readonly Loss[]): string {
  const ids = losses.map((loss) => loss.id).sort((a, b) => a - b);
  const joined: [number, number][] = [];
  for (const id of ids) {
    const last = joined.at(-1);
    if (last && id === last[1] + 1) last[1] = id;
    else joined.push([id, id]);
  }
  const shown = joined.slice(0, rangesShown).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return joined.length > rangesShown ? `${shown.join(", ")} and others` : shown.join(", ");
}

const rangesShown = 20;
