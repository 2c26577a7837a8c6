import { filesOffer } from "../setup/claude-desktop.ts";
import { bufferOverride } from "../setup/setup-context.ts";
import { clientsToWelcome, isCodeInstalled, isDesktopInstalled, planSetup } from "../setup/setup-plan.ts";
import { lineOffer } from "../setup/status-line.ts";
import { applyForCode, writableSetupContext } from "./apply.ts";
import { ask } from "./ask.ts";
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
    const { terminal } = context.environment;
    const isTerminal = terminal.stdin && terminal.stdout && !(json || dryRun);
    const offer = isTerminal && !statusline && isCodeInstalled(setup) ? lineOffer(setup) : null;
    const isLineWanted = statusline || (offer !== null && (await ask(questions[offer], "[Y/n]")));
    const folder = isTerminal && isDesktopInstalled(setup) ? filesOffer(setup) : null;
    const allowFiles = folder === null ? [] : [(await ask(filesQuestion, "[y/N]")) ? folder : "off"];
    const check = async (changed: boolean) =>
      changed && !json && terminal.stdout ? welcome(clientsToWelcome(setup), bufferOverride(setup), context) : [];
    const plan = () => planSetup(setup, { scope: "user", statusline: isLineWanted, sandbox, allowFiles });
    await applyForCode(plan, setup, { dryRun, json, check }, context);
  },
});

const filesQuestion = "May Claude Desktop's model send files from your Downloads folder?";

const questions = {
  new: "Show what waits for Claude Code in its status line?",
  append: "Keep your status line, and show what waits for Claude Code after it?",
};
