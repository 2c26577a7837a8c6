import { defineCommand } from "../command.ts";
import { RelayError } from "../errors.ts";
import { counted } from "../relay/frames.ts";
import { refuseInsideClaudeCode } from "../relay/identity.ts";
import { confirmDeletion } from "./clear.ts";
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
    if (purge) refuseInsideClaudeCode("relay uninstall --purge", claudeCode, terminal);
    if (purge && !yes && !dryRun)
      await confirmDeletion("relay uninstall --purge", await context.relay().status(), context);
    const [{ surroundingsOf }, { planRemoval }, { execute }] = await Promise.all([
      import("./surroundings.ts"),
      import("../setup/removal-plan.ts"),
      import("./setup-report.ts"),
    ]);
    const surroundings = surroundingsOf(context);
    const { installRecord } = surroundings.places;
    const plan = () => planRemoval(surroundings);
    const { done } = await execute(plan, { installRecord, dryRun, json }, context);
    if (purge && !dryRun) await emptyBuffer(context);
    if (done.failures.length > 0) throw new RelayError("failed", done.failures.join(" "));
  },
});

async function emptyBuffer({ environment, relay, note }: Context): Promise<void> {
  const { deleted, deleted_unread: unread } = await relay().clear("command line");
  note(`relay: deleted ${deleted}, of which ${unread} unread.`);
  const { deleteSetAside } = await import("../buffer/set-aside.ts");
  const asides = deleteSetAside(environment.bufferPath());
  if (asides > 0) note(`relay: deleted ${counted(asides, "file")} that a repair had set aside.`);
}
