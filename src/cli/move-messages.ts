import { clients } from "../core/client.ts";
import type { Store } from "../core/store.ts";

/**
 * Moves the waiting messages from one store to another, which announces none of them. Answers their number. A message that
 * is on a page at this moment stays, and so does the history.
 */
export async function moveWaiting(from: Store, to: Store): Promise<number> {
  let moved = 0;
  for (const reader of clients) {
    for (;;) {
      // one by one: a lease ends after five seconds, and a database may be slow
      const request = { reader, limit: 1, includeRead: false, size: "tool", origin: "command" } as const;
      const { page, lease } = await from.lease({ ...request, project: null });
      if (!lease || page.messages.length === 0) break;
      try {
        for (const { id, sender, message, typed_in, project } of page.messages) {
          const files = (await from.readFiles(id)).flatMap(({ content, ...file }) =>
            content ? { ...file, content } : [],
          );
          await to.append({ sender, message, typed_in, project, files, notify: "never" });
        }
      } catch (error) {
        await from.release(lease, false);
        throw error;
      }
      await from.ack(lease);
      moved += page.messages.length;
    }
  }
  return moved;
}
