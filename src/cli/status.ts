import { printableJson } from "../core/escape.ts";
import { defineCommand } from "./command.ts";
import { renderStatus } from "./render.ts";

export const command = defineCommand({
  meta: { name: "status", description: "Show unread messages" },
  args: { json: { type: "boolean", description: "Print JSON" } },
  async run({ args, data: context }) {
    const { environment, print } = context;
    const buffer = context.bufferName();
    const counts = await context.relay().store.counts();
    if (args.json) return print(printableJson({ buffer, ...counts }));
    if (!environment.terminal.stdout) return print(renderStatus(buffer, counts, Date.now()));
    const { show, viewStatus } = await import("./terminal-view.ts");
    await (await show(await viewStatus(buffer, counts, context), context)).ended;
  },
});
