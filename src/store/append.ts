import type { Database } from "bun:sqlite";
import { otherClient } from "../core/client.ts";
import { timestamp } from "../core/clock.ts";
import type { NewMessage } from "../core/message.ts";
import type { Appended, NotificationPolicy } from "../core/store.ts";
import { insertFiles, makeRoomForFiles } from "./attached-files.ts";
import { trim } from "./history.ts";
import { countUnread, evict, insert } from "./messages.ts";
import { cooldownLeft, leaseNotification, skip } from "./notification-leases.ts";
import { noteProject, seenInstead } from "./projects.ts";
import { hasServer, type KnownServers } from "./running-servers.ts";

/** Stores a message, makes room for it, and leases its notification, unless a server's next look is to announce it. */
export function append(
  db: Database,
  { notify, files = [], ...message }: NewMessage & { notify: NotificationPolicy },
  historyDays: number,
  servers: KnownServers,
  now: number,
): Appended {
  const { sender } = message;
  const reader = otherClient(sender);
  const { id, project } = insert(db, message, timestamp(now));
  const evicted = evict(db, id);
  if (evicted.length > 0) trim(db, historyDays, now);
  if (files.length > 0) {
    insertFiles(db, id, files);
    makeRoomForFiles(db, id);
  }
  if (sender === "code") noteProject(db, project, now);
  if (notify === "never") skip(db, id, now);
  const isNow = notify === "now" && !(cooldownLeft(db, reader, now) > 0 && hasServer(db, servers, now));
  return {
    id,
    unread: countUnread(db)[reader],
    evicted: evicted.map((row) => row.id),
    evicted_unread: evicted.filter((row) => row.unread).map((row) => row.id),
    project,
    seenProjects: sender === "desktop" ? seenInstead(db, project, now) : null,
    notification: isNow ? leaseNotification(db, reader, now, false) : null,
  };
}
