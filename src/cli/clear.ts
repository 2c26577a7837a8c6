import { clients, clientTitle } from "../core/client.ts";
import { RelayError } from "../core/errors.ts";
import { printableJson } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import type { Cleared, Counts } from "../core/store.ts";
import { plural } from "../core/words.ts";
import { clearAll } from "../server/code-files.ts";
import { ask } from "./ask.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { slashCommand } from "./own-commands.ts";

export const command = defineCommand({
  meta: { name: "clear", description: "Delete every message, for both Claudes" },
  args: { yes: { type: "boolean", description: "Do not ask" }, json: { type: "boolean", description: "Print JSON" } },
  async run({ args, data: context }) {
    const { environment } = context;
    refuseInsideClaudeCode("relay clear", environment, () => `${slashCommand("get", environment)} clear`);
    const relay = context.relay();
    if (!args.yes) await confirmDeletion("relay clear", await relay.store.counts(), context);
    const cleared = await clearAll(relay.store, "command line", environment.bufferPath());
    context.print(args.json ? printableJson({ ok: true, ...cleared }) : renderDeletion(cleared));
  },
});

/** The outcome of a deletion, for people. */
export function renderDeletion({ deleted, deleted_unread: unread, deleted_history: history }: Cleared): string {
  if (deleted + history === 0) return "relay: there was no message to delete.";
  if (deleted === 0) return `relay: deleted ${plural(history, "message")} from the history.`;
  const older = history > 0 ? `, and ${history} from the history` : "";
  return `relay: deleted ${plural(deleted, "message")}, of which ${unread} unread${older}.`;
}

/**
 * Asks the person for a yes, unless there is no message. Throws a `usage` error without a terminal, and a `failed` one for
 * another answer.
 */
export async function confirmDeletion(command: string, counts: Counts, { environment }: Context): Promise<void> {
  if (!environment.terminal.stdin)
    throw new RelayError("usage", `${command} deletes every message, and there is no terminal to ask on`, "Say --yes.");
  if (counts.total + counts.history === 0) return;
  if (await ask(`Delete ${renderCounts(counts)}?`, "[y/N]")) return;
  throw new RelayError("failed", "nothing was deleted", "Answer yes to delete.");
}

/** The numbers of messages in a buffer that has any: `2 unread for Code, 3 read ones and 40 in the history`. */
export function renderCounts({ total, history, unread }: Counts): string {
  const read = total - unread.code - unread.desktop;
  return new Intl.ListFormat("en-GB").format([
    ...clients
      .toReversed()
      .flatMap((client) => (unread[client] > 0 ? [`${unread[client]} unread for ${clientTitle(client)}`] : [])),
    ...(read > 0 ? [plural(read, read === total ? "read message" : "read one")] : []),
    ...(history > 0 ? [`${total === 0 ? plural(history, "message") : history} in the history`] : []),
  ]);
}
