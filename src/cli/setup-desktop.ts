import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";

export const command = defineCommand({
  meta: { name: "setup-desktop", description: "Set up Claude Desktop: the server" },
  args: {
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data }) {
    const context = data as Context;
    const [{ setupSurroundingsOf }, { planDesktop }, { execute }] = await Promise.all([
      import("./surroundings.ts"),
      import("../setup/claude-desktop.ts"),
      import("./setup-report.ts"),
    ]);
    const surroundings = setupSurroundingsOf(context, "relay setup-desktop");
    const dryRun = args["dry-run"] ?? false;
    const plan = () => planDesktop(surroundings);
    await execute(
      plan,
      { installRecord: surroundings.places.installRecord, dryRun, json: args.json ?? false },
      context,
    );
  },
});
