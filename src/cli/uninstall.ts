import { rmSync } from "node:fs";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import type { Relay } from "../core/relay.ts";
import { plural } from "../core/words.ts";
import { confirmDeletion } from "./clear.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";

export const command = defineCommand({
  meta: { name: "uninstall", description: "Take out what setup put into both Claudes" },
  args: {
    purge: { type: "boolean", description: "Delete every message, too" },
    yes: { type: "boolean", description: "Do not ask before messages are deleted" },
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data }) {
    const context = data as Context;
    const { claudeCode, terminal } = context.environment;
    const { purge = false, yes = false, json = false } = args;
    const dryRun = args["dry-run"] ?? false;
    // it takes the person's protections away, too
    refuseInsideClaudeCode("relay uninstall", claudeCode, terminal);
    const [{ ownSurroundingsOf }, { chosenBuffer }, { planRemoval }, { execute }] = await Promise.all([
      import("./surroundings.ts"),
      import("../setup/chosen-buffer.ts"),
      import("../setup/removal.ts"),
      import("./setup-report.ts"),
    ]);
    const surroundings = ownSurroundingsOf(context);
    const { installRecord } = surroundings.places;
    const plan = () => planRemoval(surroundings);
    const options = { installRecord, dryRun, json, thorough: true };
    if (!purge || dryRun) return void (await execute(plan, options, context));
    const buffer = chosenBuffer(surroundings) ?? context.environment.bufferPath();
    const relay = context.relay({ buffer });
    if (!yes) await confirmDeletion("relay uninstall --purge", await relay.store.counts(), context);
    try {
      await execute(plan, options, context);
    } finally {
      await empty(relay, buffer, context);
    }
  },
});

async function empty(relay: Relay, buffer: string, { note }: Context): Promise<void> {
  const { deleted, deleted_unread: unread } = await relay.store.clear("command line");
  note(`relay: deleted ${deleted}, of which ${unread} unread.`);
  const { filesSetAside } = await import("../store/repair.ts");
  const aside = filesSetAside(buffer);
  for (const path of aside) rmSync(path, { force: true });
  if (aside.length > 0) note(`relay: deleted ${plural(aside.length, "file")} that a repair had set aside.`);
}
