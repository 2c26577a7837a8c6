import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";

export const command = defineCommand({
  meta: { name: "setup", description: "Set up both Claudes, as far as they are installed" },
  args: {
    statusline: {
      type: "boolean",
      description: "Also show in Claude Code's status line how many messages wait",
    },
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data }) {
    const context = data as Context;
    const [{ setupSurroundingsOf }, { clientsToGreet, planSetup }, { execute }] = await Promise.all([
      import("./surroundings.ts"),
      import("../setup/setup-plan.ts"),
      import("./setup-report.ts"),
    ]);
    const surroundings = setupSurroundingsOf(context, "relay setup");
    const { installRecord } = surroundings.places;
    const { statusline = false, json = false, "dry-run": dryRun = false } = args;
    const plan = () => planSetup(surroundings, { scope: "user", statusline });
    const changed = await execute(plan, { installRecord, dryRun, json }, context);
    if (!changed || json || !context.environment.terminal.stdout) return;
    const [{ greet }, { chosenBuffer }] = await Promise.all([
      import("./greeting.ts"),
      import("../setup/chosen-buffer.ts"),
    ]);
    await greet(clientsToGreet(surroundings), chosenBuffer(surroundings), context);
  },
});
