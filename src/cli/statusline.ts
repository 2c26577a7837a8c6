import { clients } from "../core/client.ts";
import { defineCommand } from "./command.ts";
import { renderNews } from "./render.ts";

export const command = defineCommand({
  meta: { name: "statusline", description: "Print what waits for Code, and who just read (called by Claude Code)" },
  calledByClaudeCode: true,
  async run({ data: { quickRelay, print } }) {
    try {
      const { unread, delivered } = await quickRelay().store.counts();
      const waiting = unread.code > 0 ? [`${unread.code} from Desktop`] : [];
      const parts = [...waiting, ...clients.flatMap((client) => renderNews(client, delivered[client], Date.now()))];
      if (parts.length > 0) print(parts.join(" · "));
    } catch {} // a line under every prompt is no place for errors
  },
});
