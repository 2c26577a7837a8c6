// Messages and pages as a store finds them, for tests without a store.
import type { Page, PageMessage } from "../../src/core/leased-page.ts";

/** A message of Desktop, unread. */
export function message(id: number, text: string, extra: Partial<PageMessage> = {}): PageMessage {
  return {
    id,
    sender: "desktop",
    message: text,
    timestamp: "2026-11-23T07:12:04.123Z",
    read_by_desktop_at: null,
    read_by_code_at: null,
    typed_in: null,
    project: null,
    reply_to: null,
    files: [],
    redelivered: false,
    answered: null,
    ...extra,
  };
}

/** A page with these messages and nothing else. */
export function page(messages: PageMessage[], extra: Partial<Page> = {}): Page {
  return { messages, remaining: 0, others: [], inFlight: 0, dropped: [], tooLong: null, ...extra };
}
