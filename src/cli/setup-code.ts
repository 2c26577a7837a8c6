import { planCode } from "../setup/code-plan.ts";
import { applyForCode, writableSetupContext } from "./apply.ts";
import { defineCommand } from "./command.ts";

export const command = defineCommand({
  meta: { name: "setup-code", description: "Connect Claude Code: the server, /get, /send, hooks and rules" },
  args: {
    scope: {
      type: "enum",
      options: ["user", "project"],
      description: "For you (default), or in this folder's .mcp.json",
    },
    statusline: { type: "boolean", description: "Also show unread messages in the status line" },
    sandbox: {
      type: "boolean",
      description: "Also switch Claude Code's sandbox on, which keeps its shell from the buffer",
    },
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const setup = writableSetupContext(context, "relay setup-code");
    const { scope = "user", statusline = false, sandbox = false, json = false, "dry-run": dryRun = false } = args;
    const plan = () => planCode(setup, { scope, statusline, sandbox });
    await applyForCode(plan, setup, { dryRun, json }, context);
  },
});
