import { RelayError } from "../core/errors.ts";
import { printableJson } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import type { Counts } from "../core/store.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";

export const command = defineCommand({
  meta: { name: "clear", description: "Delete every message, for both Claudes" },
  args: { yes: { type: "boolean", description: "Do not ask" }, json: { type: "boolean", description: "Print JSON" } },
  async run({ args, data: context }) {
    refuseInsideClaudeCode("relay clear", context.environment, "/get clear");
    const relay = context.relay();
    if (!args.yes) await confirmDeletion("relay clear", await relay.store.counts(), context);
    const cleared = await relay.store.clear("command line");
    const { deleted, deleted_unread: unread } = cleared;
    context.print(
      args.json ? printableJson({ ok: true, ...cleared }) : `relay: deleted ${deleted}, of which ${unread} unread.`,
    );
  },
});

/** Asks the person for a yes. Throws a `usage` error without a terminal, and a `failed` one for another answer. */
export async function confirmDeletion(
  command: string,
  { total, unread }: Counts,
  { environment, note }: Context,
): Promise<void> {
  if (!environment.terminal.stdin)
    throw new RelayError("usage", `${command} deletes every message, and there is no terminal to ask on`, "Say --yes.");
  note(`Delete all ${total} messages, ${unread.desktop + unread.code} of them unread? Type yes:`);
  for await (const line of console) {
    if (/^y(es)?$/i.test(line.trim())) return;
    break;
  }
  throw new RelayError("failed", "nothing was deleted", "Answer yes to delete.");
}
