import type { Client } from "../core/client.ts";
import type { Announcer } from "../core/notifications.ts";
import { defaultWish, type Wish } from "../core/store.ts";
import type { Heartbeat } from "./heartbeat.ts";

// A client may have to wait so long for its first answer, until others know that it wants no sound.
const wishMilliseconds = 250;

/**
 * What a server does about announcements once it knows its client; `null` if it does not, or if that client's wishes
 * are not this server's to say. Resolves when the client can be answered.
 */
export type Announcing = (client: Client | null) => Promise<void>;

/** Makes the wish of each client that introduces itself known, and announces from the first one on what nobody announced. */
export function createAnnouncing(announcer: Announcer, wish: Wish, onBeat: Heartbeat): Announcing {
  let watching = false;
  const watch = () => {
    if (watching) return;
    watching = true;
    void announcer.look();
    onBeat(announcer.glance);
  };
  return async (client) => {
    const known = async () => {
      if (client) await announcer.wish(client, wish);
      watch();
    };
    if (wish.notify === defaultWish.notify && wish.sound === defaultWish.sound) {
      setImmediate(() => void known()); // nobody need wait for what everybody assumes
    } else {
      await Promise.race([known(), Bun.sleep(wishMilliseconds)]);
    }
  };
}
