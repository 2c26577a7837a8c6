import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";

export const command = defineCommand({
  meta: { name: "statusline", description: "Say how many messages wait for Code (called by Claude Code)" },
  calledByClaudeCode: true,
  async run({ data }) {
    const { quickRelay, print } = data as Context;
    try {
      const { unread } = await quickRelay().store.counts();
      if (unread.code > 0) print(`${unread.code} from Desktop`);
    } catch {} // a line under every prompt is no place for errors
  },
});
