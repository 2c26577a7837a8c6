import { rmSync } from "node:fs";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import type { Relay } from "../core/relay.ts";
import { plural } from "../core/words.ts";
import { planRemoval } from "../setup/removal.ts";
import { bufferOverride } from "../setup/setup-context.ts";
import { filesSetAside } from "../store/repair.ts";
import { apply, writableSetupContext } from "./apply.ts";
import { confirmDeletion } from "./clear.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";

export const command = defineCommand({
  meta: { name: "uninstall", description: "Disconnect both Claudes and restore their configuration" },
  args: {
    purge: { type: "boolean", description: "Delete every message, too" },
    yes: { type: "boolean", description: "Do not ask before messages are deleted" },
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const { purge = false, yes = false, json = false, "dry-run": dryRun = false } = args;
    // it removes the hooks and rules that protect the person
    refuseInsideClaudeCode("relay uninstall", context.environment);
    const setup = writableSetupContext(context, "relay uninstall");
    const nothing = "relay is not set up; nothing to remove.";
    const options = { dryRun, json, nothing, continueOnError: true };
    const remove = () => apply(() => planRemoval(setup), setup, options, context);
    if (!purge || dryRun) return void (await remove());
    const buffer = bufferOverride(setup) ?? context.environment.bufferPath();
    const relay = context.relay({ buffer });
    if (!yes) await confirmDeletion("relay uninstall --purge", await relay.store.counts(), context);
    try {
      await remove();
    } finally {
      await empty(relay, buffer, context);
    }
  },
});

async function empty(relay: Relay, buffer: string, { note }: Context): Promise<void> {
  const { deleted, deleted_unread: unread } = await relay.store.clear("command line");
  note(`relay: deleted ${deleted}, of which ${unread} unread.`);
  const aside = filesSetAside(buffer);
  for (const path of aside) rmSync(path, { force: true });
  if (aside.length > 0) note(`relay: deleted ${plural(aside.length, "file")} that a repair had set aside.`);
}
