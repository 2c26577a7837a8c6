import type { Client } from "./client.ts";
import { counted } from "./frames.ts";
import type { Loss } from "./store.ts";

/** What became of a message that went unread. */
export type Fate = "dropped" | "cleared" | "damaged";

/** The fate that a loss was. */
export function fateOf({ cleared_by: by }: Loss): Fate {
  return by === "damage" ? "damaged" : by ? "cleared" : "dropped";
}

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
        by === "damage" ? "lost" : by ? "cleared" : "dropped",
        ...(own && by !== "damage" ? ["unread"] : []),
      ].join(" ");
      const ids = ranges(group.map(({ id }) => id));
      told.push(`relay: ${which} ${fate}${by ? causes[by](ids) : ` because the buffer was full (${ids})`}.`);
    }
  }
  return told;
}

const causes: Record<NonNullable<Loss["cleared_by"]>, (ids: string) => string> = {
  desktop: () => " by Desktop",
  code: () => " by Code",
  "command line": () => " on the command line",
  unknown: () => "",
  damage: (ids) => ` when the buffer was damaged (${ids})`,
};

/** Numbers in order, neighbours joined: `31-34, 40`. */
export function ranges(ids: readonly number[]): string {
  const joined: [number, number][] = [];
  for (const id of ids.toSorted((a, b) => a - b)) {
    const last = joined.at(-1);
    if (last && id === last[1] + 1) last[1] = id;
    else joined.push([id, id]);
  }
  const shown = joined.slice(0, rangesShown).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return joined.length > rangesShown ? `${shown.join(", ")} and others` : shown.join(", ");
}

const rangesShown = 20;
