import { type Client, clientTitle, otherClient } from "../core/client.ts";
import { tellLosses } from "../core/drop-report.ts";
import type { Receipt } from "../core/relay.ts";

/** A receipt in words. */
export function tellReceipt(receipt: Receipt, to: Client): string {
  const { id, unread, evicted_unread: evicted } = receipt;
  const title = clientTitle(to);
  const lines = [
    `relay: sent to ${title} as message ${id}; ${unread} ${unread === 1 ? "waits" : "wait"} there.`,
  ];
  if (evicted.length > 0) {
    lines.push(`relay: the buffer was full, and unread messages had to go: ${evicted.join(", ")}.`);
  }
  const sender = otherClient(to);
  const losses = (ids: readonly number[] = [], by: "unknown" | "damage" | null) =>
    ids.map((id) => ({ id, sender, cleared_by: by }));
  lines.push(
    ...tellLosses(
      [
        ...losses(receipt.dropped, null),
        ...losses(receipt.cleared, "unknown"),
        ...losses(receipt.damaged, "damage"),
      ],
      sender,
    ),
  );
  return lines.join("\n");
}
