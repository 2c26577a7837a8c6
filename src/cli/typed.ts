import { RelayError } from "../core/errors.ts";
import { counted } from "../core/frames.ts";
import { windowSize } from "../core/limits.ts";
import { nonce } from "../core/nonce.ts";
import type { Relay } from "../core/relay.ts";
import { frameAgain, frameTyped, typedFit } from "../core/typed-page.ts";
import { checkMessage } from "../core/validate.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { interruptible } from "./interrupt.ts";
import { showPage } from "./page.ts";
import { renderReceipt } from "./render.ts";

// The person waits for the prompt; a notifier that takes longer is left to a server's next look.
const notifierMilliseconds = 1_000;

export const command = defineCommand({
  meta: { name: "typed", description: "Do what the person typed after /get (called by Claude Code)" },
  calledByClaudeCode: true,
  async run({ data }) {
    const context = data as Context;
    const { session } = context.environment.claudeCode;
    const relay = context.relay();
    const words = session && (await relay.redeem(session));
    if (words === null) throw new RelayError("refused", noTicket);
    const act = actions[words.trim()] ?? ((...given) => sendWords(words.trim(), ...given));
    await act(relay, context);
  },
});

const noTicket =
  "nobody typed /get here, or hooks are switched off, so nothing is shown. Type /get in the session that you see; `relay doctor` finds a hook that is missing.";

type Action = (relay: Relay, context: Context) => Promise<void>;

const actions: Record<string, Action | undefined> = Object.assign(Object.create(null), {
  "": get,
  again,
  status,
  clear,
});

async function get(relay: Relay, context: Context): Promise<void> {
  const { fit, tooLong } = typedFit();
  const request = { reader: "code", limit: windowSize, includeRead: false, fit } as const;
  const { page, claim } = await relay.fetch(request);
  const text = frameTyped(page, tooLong(), nonce);
  if (claim)
    await showPage(claim, text, context, "Type /get once more."); // `/get again` is something else
  else context.print(text);
}

async function again(relay: Relay, context: Context): Promise<void> {
  context.print(frameAgain(await relay.lastPage("code"), nonce));
}

async function status(relay: Relay, context: Context): Promise<void> {
  const { total, unread } = await relay.status();
  context.print(
    `relay: ${unread.code} unread from Desktop, ${unread.desktop} unread for Desktop, ${total} of ${windowSize} kept.`,
  );
}

async function clear(relay: Relay, context: Context): Promise<void> {
  const { deleted, deleted_unread: unread } = await relay.clear("code");
  context.print(`relay: cleared ${counted(deleted, "message")}, of which ${unread} unread.`);
}

async function sendWords(words: string, relay: Relay, context: Context): Promise<void> {
  const { receipt, claim } = await relay.send({ sender: "code", message: checkMessage(words) });
  const text = `${renderReceipt(receipt, "desktop")}\nrelay: the words after /get were for Desktop, and are on their way there. They are not for you; there is nothing to do.`;
  try {
    if (claim) await claim.show(() => interruptible(context.begin(text)));
    else context.print(text);
  } finally {
    await Promise.race([relay.announcer.hurry(), Bun.sleep(notifierMilliseconds)]);
    relay.announcer.stop();
  }
}
