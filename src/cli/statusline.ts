import { clients } from "../core/client.ts";
import { ProgramEnded } from "../core/errors.ts";
import { describeOthers, splitWaiting } from "../core/project.ts";
import { writeNow } from "../platform/output.ts";
import { runShell } from "../platform/process.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { renderNews } from "./render.ts";

export const command = defineCommand({
  meta: { name: "statusline", description: "Print what waits for Code, and who just read (called by Claude Code)" },
  hidden: true,
  args: {
    after: { type: "string", valueHint: "COMMAND", description: "Your own status line's command, to stand before it" },
  },
  async run({ args: { after }, data: context }) {
    if (after === undefined) {
      const line = await ours(context);
      if (line !== "") context.print(line);
      return;
    }
    const [{ status, stdout }, line] = await Promise.all([runShell(after), ours(context)]);
    const theirs = new TextDecoder().decode(stdout).trimEnd();
    if (status !== 0 || theirs.includes("\n") || line === "") {
      writeNow(1, stdout);
      if (status !== 0) throw new ProgramEnded(status);
    } else context.print(theirs === "" ? line : `${theirs}${theirs.includes("\u001b") ? reset : ""} · ${line}`);
  },
});

// Their line may end in a colour of theirs.
const reset = "\u001b[0m";

async function ours({ environment, quickStore }: Context): Promise<string> {
  try {
    const { unread, projects, delivered } = await quickStore().counts();
    const { own, others } = splitWaiting(unread.code, projects, environment.project);
    const waiting = [...(own > 0 ? [`${own} from Desktop`] : []), describeOthers(others)].filter(Boolean).join(", ");
    return [
      ...(waiting ? [waiting] : []),
      ...clients.flatMap((client) => renderNews(client, delivered[client], Date.now())),
    ].join(" · ");
  } catch {
    return ""; // a line under every prompt is no place for errors
  }
}
