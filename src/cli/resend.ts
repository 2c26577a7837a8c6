import type { NewAttachment } from "../core/attachment.ts";
import { otherClient } from "../core/client.ts";
import { RelayError } from "../core/errors.ts";
import { makeVisible, printableJson } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import type { PageMessage } from "../core/leased-page.ts";
import type { Store } from "../core/store.ts";
import { defineCommand } from "./command.ts";
import { slashCommand } from "./own-commands.ts";
import { renderReceipt } from "./render.ts";
import { printReceipt } from "./send.ts";
import { findMessage } from "./show.ts";

export const command = defineCommand({
  meta: { name: "resend", description: "Send a message once more, as a new one" },
  args: {
    id: { type: "positional", required: false, description: "Its id; relay log shows ids" },
    json: { type: "boolean", description: "Print the receipt as JSON" },
  },
  async run({ args: { id, json }, data: context }) {
    const { environment } = context;
    refuseInsideClaudeCode("relay resend", environment, () => `${slashCommand("send", environment)} (to Desktop)`);
    const relay = context.relay();
    const found = await findMessage("resend", id, relay.store);
    const { sender, message, typed_in, project, answered } = found;
    const reply_to = answered === null ? null : found.reply_to; // the message that it answers may be cleared
    const files = await readKept(found, relay.store);
    const receipt = await relay.send({ sender, message, typed_in, project, reply_to, files });
    const shown = json ? printableJson(receipt) : renderReceipt(receipt, otherClient(sender), environment);
    await printReceipt(shown, relay, context);
  },
});

/** The files of a message. Throws a `failed` error if a content made room for others: it does not go without them. */
async function readKept({ id }: PageMessage, store: Store): Promise<NewAttachment[]> {
  const files = await store.readFiles(id);
  return files.map(({ content, ...file }) => {
    if (content) return { ...file, content };
    const problem = `message ${id} cannot be sent again: the content of ${makeVisible(file.name).text} made room for other files`;
    throw new RelayError("failed", problem, "Send it again, with its files.");
  });
}
