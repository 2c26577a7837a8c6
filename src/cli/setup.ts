import { defineCommand } from "./command.ts";

export const command = defineCommand({
  meta: { name: "setup", description: "Connect Claude Desktop and Claude Code" },
  args: {
    statusline: { type: "boolean", description: "Also show unread messages in Claude Code's status line" },
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const [{ apply, writableSetupContext }, { clientsToWelcome, planSetup }] = await Promise.all([
      import("./apply.ts"),
      import("../setup/setup-plan.ts"),
    ]);
    const setup = writableSetupContext(context, "relay setup");
    const { statusline = false, json = false, "dry-run": dryRun = false } = args;
    const plan = () => planSetup(setup, { scope: "user", statusline });
    const changed = await apply(plan, setup, { dryRun, json }, context);
    if (!changed || json || !context.environment.terminal.stdout) return;
    const [{ welcome }, { bufferOverride }] = await Promise.all([
      import("./welcome.ts"),
      import("../setup/setup-context.ts"),
    ]);
    await welcome(clientsToWelcome(setup), bufferOverride(setup), context);
  },
});
