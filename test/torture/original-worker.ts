import { type OriginalRow, startOriginal } from "../support/original-statements.ts";
import { type Ending, noteClear, noteFetch, noteSend, type Read } from "./requests.ts";
import type { Run } from "./run.ts";
import type { Client } from "./run-history.ts";
import type { OriginalAction, Stream } from "./workload.ts";

/** Runs statements of the original, one after the other, as long as the round lasts. */
export async function originalWorker(run: Run, plan: Stream<OriginalAction>): Promise<void> {
  const { buffer, env, folder } = run.place;
  const original = startOriginal(buffer, { env, cwd: folder });
  const ask = async (verb: string, ...args: unknown[]): Promise<Ending> => {
    const reply = await original.ask(verb, ...args);
    if (!reply || "failed" in reply) return { refused: reply?.failed };
    return { answer: JSON.stringify(verb === "send" ? { id: reply.done } : reply.done) };
  };
  while (run.isGoing) {
    const { kind, client, limit, draft, pause } = plan.next().value;
    const message = {
      ...run.compose({ ...draft, project: null, answers: null }),
      sender: client,
      muted: false,
      files: 0,
    };
    if (kind === "clear") await noteClear(run, null, ask(kind));
    else if (kind === "send") await noteSend(run, null, message, ask(kind, client, message.text));
    else await noteFetch(run, null, { reader: client, project: null }, ask(kind, client, limit), rowsFor(client)).noted;
    run.count("statements of the original");
    await Bun.sleep(pause);
  }
  await original.end();
}

// It also gives the reader its own messages.
function rowsFor(reader: Client): Read {
  return (text) => {
    const rows = (JSON.parse(text) as OriginalRow[]).filter(({ sender }) => sender !== reader);
    const shown = rows.map(({ id, message }) => ({ id, text: message, fresh: true, redelivered: false }));
    return { shown, dropped: [], unnamed: 0 };
  };
}
