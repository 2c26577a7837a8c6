import { clients, clientTitle, isClient } from "../core/client.ts";
import { windowSize } from "../core/limits.ts";
import type { Counts } from "../core/store.ts";
import { shownTime } from "../core/words.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";

export const command = defineCommand({
  meta: { name: "status", description: "Show how many messages wait, and where they lie" },
  args: { json: { type: "boolean", description: "Print JSON" } },
  async run({ args, data }) {
    const context = data as Context;
    const buffer = context.environment.bufferPath();
    const counts = await context.relay().store.counts();
    context.print(args.json ? JSON.stringify({ buffer, ...counts }) : table(buffer, counts, context));
  },
});

function table(buffer: string, { total, unread, latest }: Counts, { environment }: Context): string {
  const strong = (text: string) => (environment.color("stdout") ? `\u001b[1m${text}\u001b[22m` : text);
  const rows = [
    ["buffer", buffer],
    ...clients.map((client) => [`waiting for ${clientTitle(client)}`, strong(String(unread[client]))]),
    ["kept", `${total} of ${windowSize}`],
    ["latest", latest ? describe(latest) : "none"],
  ];
  return rows.map(([label = "", value = ""]) => `${label.padEnd(20)}${value}`).join("\n");
}

// The row may be some other program's, with anything for a sender.
function describe({ id, sender, timestamp }: NonNullable<Counts["latest"]>): string {
  return `message ${id}, from ${isClient(sender) ? sender : "somebody else"}, ${shownTime(timestamp)}`;
}
