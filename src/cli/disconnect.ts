import { describeDatabase } from "../core/database-url.ts";
import { RelayError } from "../core/errors.ts";
import { printableJson } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import { plural } from "../core/words.ts";
import { readContent, replaceContent } from "../setup/write-file.ts";
import { chosenDatabase } from "../store/open-store.ts";
import { ask } from "./ask.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { moveWaiting } from "./move-messages.ts";

export const command = defineCommand({
  meta: { name: "disconnect", description: "Go back from the database to the file" },
  args: {
    yes: { type: "boolean", description: "Bring the waiting messages without asking" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const { environment, print, note } = context;
    refuseInsideClaudeCode("relay disconnect", environment);
    const { url, savedUrl: path } = environment.database();
    if (url !== null) throw new RelayError("usage", "RELAY_DB names a database here", "Unset it, and run this again.");
    const saved = path === null ? null : readContent(path);
    if (path === null || saved === null) throw new RelayError("failed", "relay uses no database here");
    const moved = await bring(args.yes ?? false, context);
    replaceContent(path, null, saved);
    const buffer = environment.bufferPath();
    if (args.json) return print(printableJson({ ok: true, buffer, moved }));
    print(`relay: back to ${buffer}${moved > 0 ? `; ${plural(moved, "message")} came along` : ""}.`);
    note("relay: servers that run use it from their next start: restart both Claudes.");
  },
});

/** Offers to bring what waits in the database, if it can be reached. Answers the number of messages that came. */
async function bring(yes: boolean, { environment, relay, note }: Context): Promise<number> {
  try {
    const database = chosenDatabase(environment.database());
    const { store } = relay();
    const { unread } = await store.counts();
    const waiting = unread.desktop + unread.code;
    if (!database || waiting === 0) return 0;
    const question = `Bring ${plural(waiting, "waiting message")} from ${describeDatabase(database)}?`;
    if (!yes && !(environment.terminal.stdin && (await ask(question, "[Y/n]")))) return 0;
    return await moveWaiting(store, relay({ buffer: environment.bufferPath() }).store);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    note(`relay: ${error.message}, so what waits there stays there.`);
    return 0;
  }
}
