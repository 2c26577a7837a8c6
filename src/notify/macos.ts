import type { Notification } from "../core/notifier.ts";
import { pickVariables, type System } from "../platform/system.ts";
import type { Plan } from "./toast.ts";

const limitMilliseconds = 5_000;

// A sound that comes with every macOS (/System/Library/Sounds).
const defaultSound = "Glass";

const silent = ["on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"];
const sounding = [
  "on run argv",
  "display notification (item 2 of argv) with title (item 1 of argv) sound name (item 3 of argv)",
  "end run",
];

/** A notification through `osascript`, with a constant script that gets the texts as arguments. */
export function macosPlan({ title, body, sound }: Notification, system: System): Plan {
  const script = sound ? sounding : silent;
  const texts = [title, body, ...(sound ? [sound === "default" ? defaultSound : sound] : [])];
  return {
    toast: {
      argv: ["/usr/bin/osascript", ...script.flatMap((line) => ["-e", line]), "--", ...texts],
      env: pickVariables(system.variables, ["HOME"]),
    },
    folder: "/",
    limitMilliseconds,
  };
}
