import type { Delivery } from "../core/delivery.ts";
import { RelayError, WriteFailed } from "../core/errors.ts";
import { printableJson } from "../core/escape.ts";
import { randomNonce } from "../core/frames.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import type { Page, PageRequest } from "../core/leased-page.ts";
import { renderPage } from "../core/page.ts";
import { checkLimit } from "../core/validate.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { interruptible } from "./interrupt.ts";
import { slashCommand } from "./own-commands.ts";

export const command = defineCommand({
  meta: { name: "get", description: "Get the messages for one Claude, and mark them as read" },
  args: {
    for: { type: "enum", alias: "f", options: ["desktop", "code"], description: "Whose messages" },
    limit: { type: "string", valueHint: "N", description: "How many at most, 1 to 20 (default 5)" },
    all: { type: "boolean", description: "Also show messages that were read before" },
    peek: { type: "boolean", description: "Show them without marking them as read" },
    json: { type: "boolean", description: "Print JSON, with the texts byte for byte" },
  },
  async run({ args, data: context }) {
    refuseInsideClaudeCode("relay get", context.environment, () => slashCommand("get", context.environment));
    const reader = args.for;
    if (!reader) throw new RelayError("usage", "missing reader: use --for desktop or --for code");
    const request: PageRequest = {
      reader,
      limit: checkLimit(args.limit, 1),
      includeRead: args.all ?? false,
      size: "tool",
      origin: "command",
      project: null,
    };
    const relay = context.relay();
    const isPeek = args.peek ?? false;
    const { page, delivery } = isPeek
      ? { page: await relay.store.peek(request), delivery: null }
      : await relay.fetch(request);
    if (args.json) return write(printableJson(pageJson(page)), delivery, context);
    if (!context.environment.terminal.stdout)
      return write(renderPage(page, reader, "command", randomNonce), delivery, context);
    const { show, viewPage } = await import("./terminal-view.ts");
    const text = viewPage(page, reader, isPeek, context);
    let ended = Promise.resolve();
    await deliver(delivery, async () => {
      ended = (await show(text, context)).ended;
    });
    await ended;
  },
});

function write(text: string, delivery: Delivery | null, context: Context): Promise<void> | void {
  return delivery ? deliver(delivery, () => interruptible(context.write(text))) : context.print(text);
}

/** Shows a page and settles it, also when the reader closes the pipe or a signal ends the command. */
async function deliver(delivery: Delivery | null, show: () => Promise<void>): Promise<void> {
  if (!delivery) return show();
  try {
    await delivery.send(async (ready) => {
      await ready();
      await show();
    });
  } catch (error) {
    if (!(error instanceof WriteFailed)) throw error;
    const outcome = error.started ? "may have been shown, and are offered again" : "wait as before";
    throw new RelayError("failed", `the output was cut off, so these messages ${outcome}`, "Get them once more.");
  }
}

// Fields are added, never renamed: design.md, "Command line".
function pageJson({ messages, remaining, inFlight, dropped }: Page) {
  const ids = (cleared: boolean) =>
    dropped.filter(({ cleared_by: by }) => (by !== null) === cleared).map(({ id }) => id);
  return {
    messages: messages.map(({ redelivered, answered: _, ...message }) => ({ ...message, maybe_shown: redelivered })),
    remaining,
    dropped: ids(false),
    elsewhere: inFlight,
    cleared: ids(true),
  };
}
