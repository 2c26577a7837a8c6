import { type Client, clientTitle } from "../core/client.ts";
import type { Receipt } from "../core/relay.ts";

/** A receipt in words. */
export function renderReceipt({ id, unread, evicted_unread: evicted }: Receipt, to: Client): string {
  const title = clientTitle(to);
  const sent = `relay: sent to ${title} as message ${id}; ${unread} ${unread === 1 ? "waits" : "wait"} there.`;
  if (evicted.length === 0) return sent;
  return `${sent}\nrelay: the buffer was full, and unread messages had to go: ${evicted.join(", ")}.`;
}
