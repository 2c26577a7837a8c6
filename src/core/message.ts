import type { Client } from "./client.ts";

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
}

/** A message to store. */
export type NewMessage = Pick<Message, "sender" | "message"> & Partial<Pick<Message, "typed_in">>;

/** The time at which the client read the message; `null` if it is unread. */
export function readAt(message: Message, client: Client): string | null {
  return client === "desktop" ? message.read_by_desktop_at : message.read_by_code_at;
}
