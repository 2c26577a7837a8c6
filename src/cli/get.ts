import type { Client } from "../core/client.ts";
import type { Claim } from "../core/delivery.ts";
import { type Fate, fateOf } from "../core/drop-report.ts";
import { RelayError } from "../core/errors.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import { nonce } from "../core/nonce.ts";
import { framePage } from "../core/page.ts";
import type { Page } from "../core/store.ts";
import { checkLimit } from "../core/validate.ts";
import { WriteFailed } from "../core/write.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { showPage } from "./page.ts";

export const command = defineCommand({
  meta: {
    name: "get",
    description: "Get the messages that wait for one of the two Claudes, and mark them as read",
  },
  args: {
    for: { type: "enum", options: ["desktop", "code"], description: "Whose messages" },
    limit: { type: "string", valueHint: "n", description: "How many at most, 1 to 20 (default 5)" },
    all: { type: "boolean", description: "Also what was read before" },
    peek: { type: "boolean", description: "Only look: mark nothing as read" },
    json: { type: "boolean", description: "Print JSON, with the texts byte for byte" },
  },
  async run({ args, data }) {
    const context = data as Context;
    const { claudeCode, terminal } = context.environment;
    refuseInsideClaudeCode("relay get", claudeCode, terminal);
    const reader = args.for as Client | undefined;
    if (!reader)
      throw new RelayError("usage", "nobody is named to get messages for. Say --for desktop or --for code.");
    const request = { reader, limit: checkLimit(args.limit), includeRead: args.all ?? false };
    const render = (page: Page) =>
      args.json ? JSON.stringify(pageJson(page, reader)) : framePage(page, reader, "command", nonce);

    const relay = context.relay();
    if (args.peek) return context.print(render(await relay.peek(request)));
    const { page, claim } = await relay.fetch(request);
    if (claim) await deliver(claim, render(page), context);
    else context.print(render(page));
  },
});

/** Prints a page and settles its claim, also when the reader closes the pipe or a signal ends the command. */
async function deliver(claim: Claim, text: string, context: Context): Promise<void> {
  try {
    await showPage(claim, text, context, "Run it again.");
  } catch (error) {
    if (!(error instanceof WriteFailed)) throw error;
    const fate = error.started ? "may have been shown, and are offered again" : "wait as before";
    throw new RelayError("failed", `the output was cut off, so these messages ${fate}. Get them once more.`);
  }
}

function pageJson({ messages, remaining, elsewhere, losses }: Page, reader: Client) {
  const lost = (own: boolean, fate: Fate) =>
    losses.filter((loss) => (loss.sender === reader) === own && fateOf(loss) === fate).map((loss) => loss.id);
  return {
    messages,
    remaining,
    dropped: lost(false, "dropped"),
    elsewhere,
    cleared: lost(false, "cleared"),
    sent_dropped: lost(true, "dropped"),
    sent_cleared: lost(true, "cleared"),
    damaged: lost(false, "damaged"),
    sent_damaged: lost(true, "damaged"),
  };
}
