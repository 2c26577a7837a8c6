import { defineCommand } from "../command.ts";
import { RelayError } from "../errors.ts";
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
    const [
      { surroundingsOf },
      { isCodeInstalled, isDesktopInstalled },
      { planCode },
      { planDesktop },
      { joined },
      { execute },
    ] = await Promise.all([
      import("./surroundings.ts"),
      import("../setup/installed.ts"),
      import("../setup/code-plan.ts"),
      import("../setup/desktop-plan.ts"),
      import("../setup/plan.ts"),
      import("./setup-report.ts"),
    ]);
    const surroundings = surroundingsOf(context);
    const { statusline = false, json = false } = args;
    const [code, desktop] = [isCodeInstalled(surroundings), isDesktopInstalled(surroundings)];
    if (!code && !desktop) throw new RelayError("failed", noneHere);
    const plan = async () => {
      const both = joined([
        ...(code ? [await planCode(surroundings, { scope: "user", statusline })] : []),
        ...(desktop ? [await planDesktop(surroundings)] : []),
      ]);
      if (!code) both.next.push("Claude Code is not here. Once it is, run: relay setup-code");
      if (!desktop) both.next.push("Claude Desktop is not here. Once it is, run: relay setup-desktop");
      return both;
    };
    const { installRecord } = surroundings.places;
    const { changed } = await execute(
      plan,
      { installRecord, dryRun: args["dry-run"] ?? false, json },
      context,
    );
    if (!changed || json || !context.environment.terminal.stdout) return;
    const { greet } = await import("./greeting.ts");
    await greet(context);
  },
});

const noneHere =
  "neither Claude is here: no claude in PATH or ~/.local/bin, and no folder of Claude Desktop's. Install them, or name the one to set up: relay setup-code, relay setup-desktop";
