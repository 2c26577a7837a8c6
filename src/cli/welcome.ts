import { type Client, clientTitle, otherClient } from "../core/client.ts";
import type { Context } from "./context.ts";

/**
 * Shows a person who has just set relay up that it works: a message to each of these clients, with a real notification.
 * A buffer that holds messages gets none, which could push out one of them.
 */
export async function welcome(
  clients: readonly Client[],
  buffer: string | null,
  context: Context,
): Promise<void> {
  const outcomes: string[] = [];
  const report = (outcome: unknown) => void (typeof outcome === "string" && outcomes.push(outcome));
  const relay = context.relay({ report, buffer });
  const { total } = await relay.status();
  if (clients.length === 0 || total > 0) return;
  for (const to of clients) {
    const { claim } = await relay.send({ sender: otherClient(to), message: welcomeFor(clientTitle(to)) });
    await claim?.withdraw(); // earlier losses are for the next receipt or page to report
  }
  await relay.announcer.finish();
  const failed = outcomes.some((outcome) => !outcome.endsWith(": done"));
  const seen = failed
    ? "no notification could be shown"
    : outcomes.length > 0
      ? "you should have seen a notification of it just now"
      : "notifications are switched off";
  const where = clients.map(clientTitle).join(" and in ");
  context.print(
    `relay: a welcome message waits in ${where}, and ${seen}. Nothing appeared? Run: relay doctor --notify`,
  );
}

function welcomeFor(title: string): string {
  return `Hello, ${title}: this is the welcome message of \`relay setup\`. If you can read it, relay works in this direction. There is nothing to do; just tell the person that it arrived.`;
}
