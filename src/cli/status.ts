import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { renderStatus } from "./render.ts";

export const command = defineCommand({
  meta: { name: "status", description: "Show unread messages" },
  args: { json: { type: "boolean", description: "Print JSON" } },
  async run({ args, data }) {
    const { environment, relay, print } = data as Context;
    const buffer = environment.bufferPath();
    const counts = await relay().status();
    const strong = (text: string) => (environment.color("stdout") ? `\u001b[1m${text}\u001b[22m` : text);
    print(args.json ? JSON.stringify({ buffer, ...counts }) : renderStatus(buffer, counts, strong));
  },
});
