import { bufferOverride } from "../setup/setup-context.ts";
import { clientsToWelcome, planSetup } from "../setup/setup-plan.ts";
import { applyForCode, writableSetupContext } from "./apply.ts";
import { defineCommand } from "./command.ts";
import { welcome } from "./welcome.ts";

export const command = defineCommand({
  meta: { name: "setup", description: "Connect Claude Desktop and Claude Code" },
  args: {
    statusline: { type: "boolean", description: "Also show unread messages in Claude Code's status line" },
    sandbox: {
      type: "boolean",
      description: "Also switch Claude Code's sandbox on, which keeps its shell from the buffer",
    },
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const setup = writableSetupContext(context, "relay setup");
    const { statusline = false, sandbox = false, json = false, "dry-run": dryRun = false } = args;
    const plan = () => planSetup(setup, { scope: "user", statusline, sandbox });
    const changed = await applyForCode(plan, setup, { dryRun, json }, context);
    if (!changed || json || !context.environment.terminal.stdout) return;
    await welcome(clientsToWelcome(setup), bufferOverride(setup), context);
  },
});
