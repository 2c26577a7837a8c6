import { type Client, clientTitle, otherClient } from "../core/client.ts";
import type { NotificationOutcome } from "../core/notifications.ts";
import type { Line } from "../setup/plan.ts";
import type { Context } from "./context.ts";

/**
 * Shows a person who has just set relay up that it works: sends a message to each of these clients, with a notification,
 * and says so. A buffer that holds messages gets none, because it could evict one of them.
 */
export async function welcome(clients: readonly Client[], buffer: string | null, context: Context): Promise<Line[]> {
  const outcomes: NotificationOutcome[] = [];
  const relay = context.relay({ buffer, onOutcome: (outcome) => outcomes.push(outcome) });
  const { total } = await relay.store.counts();
  if (clients.length === 0 || total > 0) return [];
  for (const to of clients) await relay.send({ sender: otherClient(to), message: welcomeFor(clientTitle(to)) });
  await relay.notifications.finish();
  const where = clients.map(clientTitle).join(" and in ");
  const section = "Notifications";
  return [
    { section, mark: "+", text: `a welcome message waits in ${where}` },
    { section, ...describe(outcomes) },
  ];
}

function describe(outcomes: readonly NotificationOutcome[]): Pick<Line, "mark" | "text"> {
  const failure = outcomes.find((outcome) => outcome.failure !== null)?.failure;
  if (failure) return { mark: "!", text: `no notification could be shown: ${failure}. See the README, Help.` };
  if (outcomes.length === 0) return { mark: "–", text: "notifications are switched off" };
  const text = "you should have seen a notification just now; if nothing appeared, run: relay doctor --notify";
  return { mark: "+", text };
}

function welcomeFor(title: string): string {
  return `Hello, ${title}: this is the welcome message of \`relay setup\`. If you can read it, relay works in this direction. There is nothing to do; just tell the person that it arrived.`;
}
