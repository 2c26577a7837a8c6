import { type Client, clientTitle, otherClient } from "../core/client.ts";
import type { NotificationOutcome } from "../core/notifications.ts";
import type { Context } from "./context.ts";

/**
 * Shows a person who has just set relay up that it works: sends a message to each of these clients, with a notification.
 * A buffer that holds messages gets none, because it could evict one of them.
 */
export async function welcome(clients: readonly Client[], buffer: string | null, context: Context): Promise<void> {
  const outcomes: NotificationOutcome[] = [];
  const relay = context.relay({ buffer, onOutcome: (outcome) => outcomes.push(outcome) });
  const { total } = await relay.store.counts();
  if (clients.length === 0 || total > 0) return;
  for (const to of clients) await relay.send({ sender: otherClient(to), message: welcomeFor(clientTitle(to)) });
  await relay.notifications.finish();
  const where = clients.map(clientTitle).join(" and in ");
  context.print(
    `relay: a welcome message waits in ${where}, and ${renderOutcomes(outcomes)}. Nothing appeared? Run: relay doctor --notify`,
  );
}

function renderOutcomes(outcomes: readonly NotificationOutcome[]): string {
  if (outcomes.some(({ failure }) => failure !== null)) return "no notification could be shown";
  if (outcomes.length > 0) return "you should have seen a notification of it just now";
  return "notifications are switched off";
}

function welcomeFor(title: string): string {
  return `Hello, ${title}: this is the welcome message of \`relay setup\`. If you can read it, relay works in this direction. There is nothing to do; just tell the person that it arrived.`;
}
