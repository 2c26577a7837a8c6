import { printableJson } from "../core/escape.ts";
import { defineCommand } from "./command.ts";
import { renderStatus } from "./render.ts";

export const command = defineCommand({
  meta: { name: "status", description: "Show unread messages" },
  args: { json: { type: "boolean", description: "Print JSON" } },
  async run({ args, data: { environment, relay, print, style } }) {
    const buffer = environment.bufferPath();
    const counts = await relay().store.counts();
    const strong = (text: string) => style("stdout", "bold", text);
    print(args.json ? printableJson({ buffer, ...counts }) : renderStatus(buffer, counts, strong, Date.now()));
  },
});
