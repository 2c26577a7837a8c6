import { RelayError } from "../core/errors.ts";
import { randomNonce } from "../core/frames.ts";
import { personSession } from "../core/identity.ts";
import { windowSize } from "../core/limits.ts";
import { renderAgain, renderPage } from "../core/page.ts";
import type { Fetched, Relay } from "../core/relay.ts";
import type { PageRequest } from "../core/store.ts";
import { checkMessage } from "../core/validate.ts";
import { plural } from "../core/words.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { interruptible } from "./interrupt.ts";
import { renderReceipt } from "./render.ts";

// The person waits for the prompt. A slower notifier is stopped, and a server tries again when the lease ends, after 20 s.
const notifierMs = 1_000;

const request: PageRequest = {
  reader: "code",
  limit: windowSize,
  includeRead: false,
  size: "typed",
  origin: "typed",
  project: null, // the ticket has it
};

export const command = defineCommand({
  meta: { name: "typed", description: "Do what the person typed after /get (called by Claude Code)" },
  calledByClaudeCode: true,
  async run({ data: context }) {
    const session = personSession(context.environment.claudeCode);
    const relay = context.relay();
    const redeemed = session && (await relay.redeem(session, request));
    if (!redeemed) {
      throw new RelayError(
        "refused",
        "nobody typed /get here, or hooks are switched off, so nothing is shown",
        "Type /get in the session that you see; `relay doctor` finds a hook that is missing.",
      );
    }
    if (redeemed.fetched) return show(redeemed.fetched, context);
    await answer(redeemed.args.trim(), relay, context);
  },
});

async function show({ page, delivery }: Fetched, context: Context): Promise<void> {
  const text = renderPage(page, "code", "typed", randomNonce);
  if (delivery)
    await delivery.send(async (ready) => {
      await ready();
      await interruptible(context.write(text));
    });
  else context.print(text);
}

/** Obeys the words after `/get`; those that are no request go to Desktop. */
async function answer(words: string, relay: Relay, { print }: Context): Promise<void> {
  const { store } = relay;
  if (words === "again") return print(renderAgain(await store.lastPage("code"), randomNonce));
  if (words === "status") {
    const { total, unread } = await store.counts();
    return print(
      `relay: ${unread.code} unread from Desktop, ${unread.desktop} unread for Desktop, ${total} of ${windowSize} kept.`,
    );
  }
  if (words === "clear") {
    const { deleted, deleted_unread: unread } = await store.clear("code");
    return print(`relay: cleared ${plural(deleted, "message")}, of which ${unread} unread.`);
  }
  const receipt = await relay.send({ sender: "code", message: checkMessage(words) });
  print(
    `${renderReceipt(receipt, "desktop")}\nrelay: the words after /get were for Desktop, and are on their way there. They are not for you; there is nothing to do.`,
  );
  await Promise.race([relay.notifications.finish(), Bun.sleep(notifierMs)]);
  relay.notifications.stop();
}
