import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";

export const command = defineCommand({
  meta: { name: "setup-code", description: "Set up Claude Code: the server, /get, hooks and rules" },
  args: {
    scope: {
      type: "enum",
      options: ["user", "project"],
      description: "For you (default), or in this folder's .mcp.json",
    },
    statusline: { type: "boolean", description: "Also show in the status line how many messages wait" },
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data }) {
    const context = data as Context;
    const [{ setupSurroundingsOf }, { planCode }, { execute }] = await Promise.all([
      import("./surroundings.ts"),
      import("../setup/code-plan.ts"),
      import("./setup-report.ts"),
    ]);
    const surroundings = setupSurroundingsOf(context, "relay setup-code");
    const { scope = "user", statusline = false, json = false } = args;
    const plan = () => planCode(surroundings, { scope: scope as "user" | "project", statusline });
    const { installRecord } = surroundings.places;
    await execute(plan, { installRecord, dryRun: args["dry-run"] ?? false, json }, context);
  },
});
