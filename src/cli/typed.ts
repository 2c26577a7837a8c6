import { RelayError } from "../core/errors.ts";
import { randomNonce } from "../core/frames.ts";
import { personSession } from "../core/identity.ts";
import { renderAgain, renderPage } from "../core/page.ts";
import { defineCommand } from "./command.ts";
import { interruptible } from "./interrupt.ts";
import { typedRequest } from "./typed-words.ts";

export const command = defineCommand({
  meta: { name: "typed", description: "Bring what the person asked for with /get (called by Claude Code)" },
  calledByClaudeCode: true,
  async run({ data: context }) {
    const { environment, write, print } = context;
    const relay = context.relay();
    const session = personSession(environment.claudeCode);
    const { store } = relay;
    const redeemed = session && (await relay.redeem(session, typedRequest));
    if (!redeemed) throw refusal;
    const { words, ids, fetched } = redeemed;
    if (!fetched) return print(renderAgain(await store.find(ids), words, randomNonce, ids));
    const text = renderPage(fetched.page, "code", "typed", randomNonce, ids);
    if (!fetched.delivery) return print(text);
    await fetched.delivery.send(async (ready) => {
      await ready();
      await interruptible(write(text));
    });
  },
});

const refusal = new RelayError(
  "refused",
  "nobody typed /get or /send here, so nothing is shown or sent",
  "Type it in the session that you see. If you did, hooks do not run here: say get, and see `relay doctor`.",
);
