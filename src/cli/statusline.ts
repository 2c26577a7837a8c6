import { defineCommand } from "./command.ts";

export const command = defineCommand({
  meta: { name: "statusline", description: "Print how many messages wait for Code (called by Claude Code)" },
  calledByClaudeCode: true,
  async run({ data: { quickRelay, print } }) {
    try {
      const { unread } = await quickRelay().store.counts();
      if (unread.code > 0) print(`${unread.code} from Desktop`);
    } catch {} // a line under every prompt is no place for errors
  },
});
