import { clients, clientTitle, otherClient } from "../client.ts";
import type { Context } from "./context.ts";

/**
 * Shows a person who has just set relay up that it works: a real notification for each side, and a message that waits
 * there for the first get.
 */
export async function greet(context: Context): Promise<void> {
  const outcomes: string[] = [];
  const relay = context.relay((outcome) => {
    if (typeof outcome === "string") outcomes.push(outcome);
  });
  for (const to of clients) {
    const { claim } = await relay.send({ sender: otherClient(to), message: greetingFor(clientTitle(to)) });
    await claim?.withdraw(); // what was lost before is told to whoever asks, not here
  }
  await relay.announcer.finish();
  const failed = outcomes.some((outcome) => !outcome.endsWith(": done"));
  const seen = failed
    ? "no notification could be shown"
    : outcomes.length > 0
      ? "you should have seen a notification for each side just now"
      : "notifications are switched off";
  context.print(
    `relay: a greeting waits on each side, and ${seen}. Nothing appeared? Run: relay doctor --notify`,
  );
}

function greetingFor(title: string): string {
  return `Hello, ${title}: this is the greeting that \`relay setup\` left here. If you can read it, relay works in this direction. There is nothing to do; just tell the person that it arrived.`;
}
