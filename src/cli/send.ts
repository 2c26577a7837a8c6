import { type Client, otherClient } from "../core/client.ts";
import { RelayError } from "../core/errors.ts";
import { printableJson } from "../core/escape.ts";
import { isInsideClaudeCode, refuseInsideClaudeCode } from "../core/identity.ts";
import { checkMessage } from "../core/validate.ts";
import { readAll } from "../platform/input.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { unlessInterrupted } from "./interrupt.ts";
import { renderReceipt } from "./render.ts";

// Far more than a message may have. A stream may be endless.
const inputBytes = 16 * 1024 * 1024;

export const command = defineCommand({
  meta: { name: "send", description: "Send a message to one of the two Claudes" },
  args: {
    to: { type: "enum", options: ["desktop", "code"], description: "The recipient" },
    text: { type: "positional", required: false, description: "The message; - or nothing reads standard input" },
    json: { type: "boolean", description: "Print the receipt as JSON" },
  },
  async run({ args, data: context }) {
    const to = recipient(args.to, context);
    const message = checkMessage(await messageText(args.text, context));
    const relay = context.relay();
    const receipt = await relay.send({ sender: otherClient(to), message });
    try {
      context.print(args.json ? printableJson(receipt) : renderReceipt(receipt, to));
    } finally {
      const { notifications } = relay;
      await unlessInterrupted(
        () => notifications.finish(),
        () => notifications.stop(),
      );
    }
  },
});

function recipient(to: Client | undefined, { environment }: Context): Client {
  if (to === "code") refuseInsideClaudeCode("relay send --to code", environment);
  if (to) return to;
  if (isInsideClaudeCode(environment)) return "desktop";
  throw new RelayError("usage", "missing recipient: use --to desktop or --to code");
}

async function messageText(text: string | undefined, { environment }: Context): Promise<string> {
  if (text !== undefined && text !== "-") return text;
  if (text === undefined && environment.terminal.stdin) {
    throw new RelayError(
      "usage",
      "there is no message",
      'Give one in quotes, or pipe it in: relay send --to code "hello"',
    );
  }
  return readInput();
}

async function readInput(): Promise<string> {
  const bytes = await readAll(Bun.stdin.stream(), inputBytes);
  if (bytes) return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  throw new RelayError("failed", "message is over 16 MB; the limit is 65,536 bytes", "Save it and send the path.");
}
