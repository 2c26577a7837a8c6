import { RelayError } from "../core/errors.ts";
import { randomNonce } from "../core/frames.ts";
import { personSession } from "../core/identity.ts";
import type { PageMessage } from "../core/leased-page.ts";
import { typedPageCharacters } from "../core/limits.ts";
import { renderAgain, renderPage } from "../core/page.ts";
import { renderFitting, type ShownFiles } from "../core/shown-file.ts";
import type { Store } from "../core/store.ts";
import type { Environment } from "../platform/environment.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { interruptible } from "./interrupt.ts";
import { slashCommand } from "./own-commands.ts";
import { typedRequest } from "./typed-words.ts";

export const command = defineCommand({
  meta: { name: "typed", description: "Bring what the person asked for with /get (called by Claude Code)" },
  hidden: true,
  async run({ data: context }) {
    const { environment, write, print } = context;
    const relay = context.relay();
    const session = personSession(environment.claudeCode);
    const { store } = relay;
    const redeemed = session && (await relay.redeem(session, typedRequest));
    if (!redeemed) throw await refusal(environment);
    const { words, ids: announced, fetched } = redeemed;
    const messages = fetched ? fetched.page.messages : await store.find(announced);
    const text = await withFiles(messages, context, store, (files) =>
      fetched
        ? renderPage(fetched.page, "code", "typed", randomNonce, { announced, files })
        : renderAgain(messages, words, randomNonce, { announced, files }),
    );
    if (!fetched?.delivery) return print(text);
    await fetched.delivery.send(async (ready) => {
      await ready();
      await interruptible(write(text));
    });
  },
});

/** Renders a page, after its files are on the disk. */
async function withFiles(
  messages: readonly PageMessage[],
  { environment }: Context,
  store: Store,
  render: (files?: ShownFiles) => string,
): Promise<string> {
  if (messages.every(({ files }) => files.length === 0)) return render();
  const { filesForCode } = await import("../server/code-files.ts");
  const files = await filesForCode(messages, store, environment).catch(() => null);
  return files ? renderFitting(files, typedPageCharacters, render) : render(); // which names the files
}

/** The error for a command without a ticket. Only where a hook could run is it a sign that a program asks. */
async function refusal(environment: Environment): Promise<RelayError> {
  const [get, send] = [slashCommand("get", environment), slashCommand("send", environment)];
  const sayGet = 'Say "get" or "tell Desktop …" instead; Claude asks you before it reads.';
  const refused = (reason: string, fix: string) => new RelayError("refused", reason, fix);
  if (environment.isVsCode)
    return refused(`the VS Code extension runs no hooks, so ${get} and ${send} do nothing in it`, sayGet);
  const { switchedBy, readConfiguration } = await import("../doctor/configuration.ts");
  const configuration = readConfiguration(environment.places(), process.cwd());
  for (const key of ["disableAllHooks", "allowManagedHooksOnly"]) {
    const file = switchedBy(configuration, key);
    if (file)
      return refused(`hooks are switched off by ${key} in ${file.path}, so ${get} and ${send} do nothing here`, sayGet);
  }
  const fix =
    "Type it in the session that you see. If you did, hooks do not run here: say get, and see `relay doctor`.";
  return refused(`nobody typed ${get} or ${send} here, so nothing is shown or sent`, fix);
}
