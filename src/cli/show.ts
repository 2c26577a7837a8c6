import { otherClient } from "../core/client.ts";
import { RelayError } from "../core/errors.ts";
import { printableJson } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import type { PageMessage } from "../core/leased-page.ts";
import type { Store } from "../core/store.ts";
import { checkId } from "../core/validate.ts";
import { defineCommand, usageError } from "./command.ts";
import { slashCommand } from "./own-commands.ts";

export const command = defineCommand({
  meta: { name: "show", description: "Show one message, without marking it as read" },
  args: {
    id: { type: "positional", required: false, description: "Its id; relay log shows ids" },
    json: { type: "boolean", description: "Print JSON, with the text byte for byte" },
  },
  async run({ args: { id, json }, data: context }) {
    const { environment } = context;
    const get = () => `${slashCommand("get", environment)} ${id ?? "ID"}`;
    refuseInsideClaudeCode("relay show", environment, get);
    const { store } = context.relay();
    const message = await findMessage("show", id, store);
    const { redelivered: _, answered: __, ...stored } = message;
    if (json) return context.print(printableJson(stored));
    // a file or a program gets just the text
    if (!environment.terminal.stdout) return context.printExact(message.message);
    const { show, viewMessage } = await import("./terminal-view.ts");
    const lines = viewMessage(message, otherClient(message.sender), environment.screen().columns, context);
    await (await show(lines.join("\n"), context)).ended;
    const { drawPictures } = await import("./drawn-pictures.ts");
    await drawPictures(message, store, context);
  },
});

/** The message with the id that follows a verb. Throws `usage` if that is none, and `failed` if there is no such message. */
export async function findMessage(verb: string, word: string | undefined, store: Store): Promise<PageMessage> {
  const id = checkId("ID", word);
  if (id === null) throw usageError(verb, "missing id of a message");
  const [message] = await store.find([id]);
  if (message) return message;
  throw new RelayError("failed", `there is no message ${id}, here or in the history`, "See: relay log");
}
