import { planDesktop } from "../setup/claude-desktop.ts";
import { apply, writableSetupContext } from "./apply.ts";
import { defineCommand } from "./command.ts";

export const command = defineCommand({
  meta: { name: "setup-desktop", description: "Connect Claude Desktop: the server" },
  args: {
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const setup = writableSetupContext(context, "relay setup-desktop");
    const { json = false, "dry-run": dryRun = false } = args;
    await apply(() => planDesktop(setup), setup, { dryRun, json }, context);
  },
});
