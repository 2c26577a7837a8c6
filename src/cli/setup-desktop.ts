import { existsSync } from "node:fs";
import { resolve, sep } from "node:path";
import { RelayError } from "../core/errors.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import { planDesktop } from "../setup/claude-desktop.ts";
import { apply, writableSetupContext } from "./apply.ts";
import { defineCommand } from "./command.ts";

export const command = defineCommand({
  meta: { name: "setup-desktop", description: "Connect Claude Desktop: the server" },
  args: {
    "allow-files": {
      type: "string",
      valueHint: "DIR|off",
      repeatable: true,
      description: "A folder from which its model may send files (none at first)",
    },
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const setup = writableSetupContext(context, "relay setup-desktop");
    const { json = false, "dry-run": dryRun = false, "allow-files": allowed = [] } = args;
    if (allowed.length > 0) refuseInsideClaudeCode("relay setup-desktop --allow-files", context.environment);
    const allowFiles = allowed.map((folder) => (folder === "off" ? folder : checkFolder(folder)));
    await apply(() => planDesktop(setup, { allowFiles }), setup, { dryRun, json }, context);
  },
});

function checkFolder(given: string): string {
  const folder = resolve(given);
  if (existsSync(`${folder}${sep}.`)) return folder;
  throw new RelayError("usage", `--allow-files is "${given}", which is no folder`, "Name a folder that is there.");
}
