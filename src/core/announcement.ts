import { clientTitle, otherClient } from "./client.ts";
import { stripUnsafe } from "./escape.ts";
import type { Announcement } from "./notifier.ts";
import type { Lease } from "./store.ts";
import { isSoundName } from "./validate.ts";

// How many characters of a message a notification shows at the most, whatever goes before them included.
const bodyCharacters = 120;

// No more of a text is looked at: the rest cannot be on a notification, unless all of this is invisible.
const lookedAt = 4_096;

/** What a person is told of leased messages: for whom, from whom, how many, and how the oldest begins. */
export function announcementOf({ reader, count, more, message, sound }: Lease): Announcement {
  const text = stripUnsafe(message.slice(0, lookedAt)).replace(/\s+/g, " ").trim();
  const counted = more ? `${count} more` : count > 1 ? `${count} messages` : "";
  return {
    title: `For ${clientTitle(reader)}, from ${clientTitle(otherClient(reader))}`,
    body: shorten([counted, text || "(nothing that can be shown)"].filter(Boolean).join(": ")),
    sound: sound === "off" ? null : isSoundName(sound) ? sound : "default",
  };
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length <= bodyCharacters
    ? text
    : `${characters
        .slice(0, bodyCharacters - 1)
        .join("")
        .trimEnd()}…`;
}
