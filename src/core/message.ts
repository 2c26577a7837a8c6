import type { ListedAttachment, NewAttachment } from "./attachment.ts";
import type { Client } from "./client.ts";
import { RelayError } from "./errors.ts";
import { makeVisible } from "./escape.ts";

/** The place where the person typed a message. */
export type TypedIn = "terminal" | "claude-code";

/** The place, in the middle of a sentence. */
export const typedPlaces: Record<TypedIn, string> = { terminal: "in a terminal", "claude-code": "in Claude Code" };

/** A message as it is stored. Other programs write the table too, so `timestamp` may be any text. */
export interface Message {
  id: number;
  sender: Client;
  message: string;
  timestamp: string;
  read_by_desktop_at: string | null;
  read_by_code_at: string | null;
  /** `null` if a model wrote it, or relay does not know. */
  typed_in: TypedIn | null;
  /** The project in Claude Code that it comes from or is for; `null` for none. As by {@link projectName}. */
  project: string | null;
  /** The id of the message that it answers. */
  reply_to: number | null;
  files: readonly ListedAttachment[];
}

/** A message to store. One that answers another is for that one's project, if it names none. */
export type NewMessage = Pick<Message, "sender" | "message"> &
  Partial<Pick<Message, "typed_in" | "project" | "reply_to">> & { files?: readonly NewAttachment[] };

const answeredCharacters = 80;

/** The first 80 characters of a message that another one answers, on one safe line. */
export function firstCharacters(text: string): string {
  const line = [...makeVisible(text).text.trim().replace(/\s+/g, " ")];
  return line.length <= answeredCharacters ? line.join("") : `${line.slice(0, answeredCharacters).join("")}…`;
}

/** The time at which the client read the message; `null` if it is unread. */
export function readAt(message: Message, client: Client): string | null {
  return client === "desktop" ? message.read_by_desktop_at : message.read_by_code_at;
}

/** The error for a message that answers one which is nowhere. */
export function unknownAnswered(id: number): RelayError {
  return new RelayError(
    "usage",
    `there is no message ${id} to answer`,
    "It was cleared, left the history, or was never sent; leave reply_to out.",
  );
}
