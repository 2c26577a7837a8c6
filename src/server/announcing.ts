import { defaultWish, type Wish } from "../buffer/buffer.ts";
import type { Client } from "../client.ts";
import type { Announcer } from "../relay/announcer.ts";
import type { Heartbeat } from "./heartbeat.ts";

// A client may have to wait so long for its first answer, until others know that it wants no sound.
const wishMilliseconds = 250;

/** Whom a server announces for. */
export interface AnnouncingOptions {
  announcer: Announcer;
  /** Whose wishes the server keeps; `null` if nobody knows, or if it is not for this server to say. */
  client: Client | null;
  wish: Wish;
  onBeat: Heartbeat;
}

/**
 * Makes the client's wish known, and announces from then on whatever nobody announced. Resolves when the client can be
 * answered.
 */
export async function beginAnnouncing({ announcer, client, wish, onBeat }: AnnouncingOptions): Promise<void> {
  const known = async () => {
    if (client) await announcer.wish(client, wish);
  };
  const watch = () => {
    void announcer.look();
    onBeat(() => void announcer.look());
  };
  if (wish.notify === defaultWish.notify && wish.sound === defaultWish.sound) {
    setImmediate(() => void known().then(watch)); // nobody need wait for what everybody assumes
    return;
  }
  const made = known();
  void made.then(watch);
  await Promise.race([made, Bun.sleep(wishMilliseconds)]);
}
