import { systemClock } from "../core/clock.ts";
import { type DatabaseUrl, describeDatabase, parseDatabaseUrl } from "../core/database-url.ts";
import { RelayError } from "../core/errors.ts";
import { printableJson } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import { plural } from "../core/words.ts";
import { savedUrlPath } from "../platform/buffer-choice.ts";
import { isRunning } from "../platform/process.ts";
import { bufferOverride } from "../setup/setup-context.ts";
import { readContent, replaceContent } from "../setup/write-file.ts";
import { chosenDatabase, withPassword } from "../store/open-store.ts";
import { createRole, prepare } from "../store/postgres/administration.ts";
import { PostgresStore } from "../store/postgres/postgres-store.ts";
import { setupContext } from "./apply.ts";
import { ask, askFor } from "./ask.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { moveWaiting } from "./move-messages.ts";

export const command = defineCommand({
  meta: { name: "connect", description: "Keep the messages in a PostgreSQL database, which several machines share" },
  args: {
    url: { type: "positional", required: false, description: "postgres://user@host/database, or - for standard input" },
    "create-role": {
      type: "string",
      valueHint: "NAME",
      description: "As an administrator, make a role for a person, and print its URL",
    },
    yes: { type: "boolean", description: "Take the waiting messages along without asking" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const { environment, print, note } = context;
    // it decides where messages go, and a model could send them to a database of its own
    refuseInsideClaudeCode("relay connect", environment);
    const settings = environment.database();
    // other users of the machine see arguments, and a shell keeps them
    const url = args.url === "-" ? ((await askFor("URL:")) ?? "") : args.url;
    const typed = url === undefined ? null : parseDatabaseUrl(url, settings.systemUser);
    const database = typed ? withPassword(typed, settings) : chosenDatabase(settings);
    if (!database) throw new RelayError("usage", "missing URL", "Write: relay connect postgres://user@host/database");
    const where = describeDatabase(database);
    if (args["create-role"] !== undefined) {
      const person = await createRole(database, args["create-role"]);
      if (args.json) return print(printableJson({ ok: true, buffer: describeDatabase(person), url: urlOf(person) }));
      note(
        "relay: this URL has a new password, which nobody can read again. Its person runs: relay connect -, and pastes it",
      );
      return print(urlOf(person));
    }
    await prepare(database);
    const { moved, waiting } = await takeAlong(database, args.yes ?? false, context);
    const path = savedUrlPath(environment.places().home);
    const text = url ?? settings.url;
    if (text !== null) replaceContent(path, Buffer.from(`${text}\n`), readContent(path), 0o600);
    if (args.json) return print(printableJson({ ok: true, buffer: where, moved }));
    print(`relay: connected to ${where}${moved > 0 ? `; ${plural(moved, "message")} came along` : ""}.`);
    if (waiting > moved)
      note("relay: what waits in the file stays there. To take it along, run this again with --yes.");
    for (const advice of afterConnecting(database, typed, context)) note(`relay: ${advice}`);
  },
});

/** What the person still has to do, so that both Claudes use the database. */
function afterConnecting(database: DatabaseUrl, typed: DatabaseUrl | null, context: Context): string[] {
  const setup = setupContext(context);
  const file = bufferOverride(setup);
  const { RELAY_DB } = setup.system.variables;
  return [
    "servers that run use it from their next start: restart both Claudes. For what they still send to the file, run: relay connect",
    ...(typed && typed.password === null && database.password !== null
      ? ["the password is not in the URL, so each Claude has to find it, too: keep it in ~/.pgpass."]
      : []),
    ...(file
      ? [`both Claudes are set up with ${file}. Run: RELAY_DB=${setup.places.defaultBufferPath} relay setup`]
      : []),
    ...(RELAY_DB ? ["RELAY_DB is set in this shell, and wins: unset it."] : []),
  ];
}

/** Offers to move what waits in the file. Answers how many messages waited, and how many moved. */
async function takeAlong(database: DatabaseUrl, yes: boolean, { environment, relay }: Context) {
  const file = relay({ buffer: environment.bufferPath() }).store;
  const { unread } = await file.counts();
  const waiting = unread.desktop + unread.code;
  const isWanted =
    waiting > 0 &&
    (yes || (environment.terminal.stdin && (await ask(`Take ${plural(waiting, "waiting message")} along?`, "[Y/n]"))));
  const { machine } = environment.database();
  const store = new PostgresStore({ url: database, clock: systemClock, machine, isRunning });
  return { waiting, moved: isWanted ? await moveWaiting(file, store) : 0 };
}

/** The URL with its password, for the one person who gets it. */
function urlOf(database: DatabaseUrl): string {
  const url = describeDatabase(database).replace("@", `:${encodeURIComponent(database.password ?? "")}@`);
  return database.ssl === "prefer" ? url : `${url}?sslmode=${database.ssl}`;
}
