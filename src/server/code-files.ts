import type { StoredAttachment } from "../core/attachment.ts";
import { errorMessage } from "../core/errors.ts";
import type { ClearedBy, PageMessage } from "../core/leased-page.ts";
import { isTextType } from "../core/media-type.ts";
import { missingContent, receivedFiles, type ShownFile, type ShownFiles, textOf } from "../core/shown-file.ts";
import type { Cleared, Store } from "../core/store.ts";
import type { Environment } from "../platform/environment.ts";
import { receivedFolder } from "../platform/paths.ts";
import { receiveFile, sweepFiles } from "../platform/received-files.ts";
import { claudePath } from "../platform/wslenv.ts";

// A larger text is cheaper to search on the disk than to read from the page.
const textBytes = 8_192;

/** Writes the files of these messages to the disk for Claude Code, and removes those of messages that are gone. */
export async function filesForCode(
  messages: readonly PageMessage[],
  store: Store,
  environment: Pick<Environment, "bufferPath" | "system">,
): Promise<ShownFiles> {
  const root = receivedFolder(environment.bufferPath());
  const { variables } = environment.system();
  const shown = new Map<number, ShownFile[]>();
  for (const { id, files } of messages) {
    if (files.length === 0) continue;
    const show = (file: StoredAttachment): ShownFile => {
      const { content, name, type, size } = file;
      const missing = missingContent(file);
      if (content === null || missing) return { name, type, size, note: missing ?? "" };
      const text = isTextType(type) && size <= textBytes ? { text: textOf(content) } : {};
      try {
        const path = receiveFile(root, id, { name, content });
        return { name: claudePath(path, variables), type, size, note: "", ...text };
      } catch (error) {
        return { name, type, size, note: `not on the disk: ${errorMessage(error)}`, ...text };
      }
    };
    shown.set(id, receivedFiles(await store.readFiles(id)).map(show));
  }
  if (shown.size > 0) await sweepReceived(store, root);
  return shown;
}

/** Deletes every message in this buffer, and the files of messages that Claude Code got. */
export async function clearAll(store: Store, by: ClearedBy, buffer: string, signal?: AbortSignal): Promise<Cleared> {
  const cleared = await store.clear(by, signal);
  await sweepReceived(store, receivedFolder(buffer));
  return cleared;
}

/** Removes from the folder `root` the files of messages that are gone, or whose contents have made room for others. */
async function sweepReceived(store: Store, root: string): Promise<void> {
  await sweepFiles(root, async (ids) => {
    const found = await store.find(ids);
    return found.filter(({ files }) => files.some(({ kept }) => kept)).map(({ id }) => id);
  });
}
