import { readLines } from "../support/lines.ts";
import { initialize } from "../support/server-process.ts";
import { type Ending, noteClear, noteFetch, noteSend } from "./requests.ts";
import { closeInput, type Process, type Run } from "./run.ts";
import type { Client } from "./run-history.ts";
import { readFramed } from "./texts.ts";
import type { Plan, ServerAction } from "./workload.ts";

type Action<Kind> = Extract<ServerAction, { kind: Kind }>;

const clientInfo = {
  desktop: { name: "claude-ai", version: "0.1.0" },
  code: { name: "claude-code", version: "2.1.330" },
};

/** Lives a client's life as long as the round lasts: when its server is gone, it starts another. */
export async function serverWorker(run: Run, { client, project, actions: plan }: Plan["servers"][number]) {
  while (run.isGoing) {
    const session = new Session(run, client, project);
    const { process } = session;
    await session.open();
    while (run.isGoing && ![process.killed, process.asked, process.ended].some(Number.isFinite))
      await session.act(plan.next().value);
    await session.leave("end of input");
  }
}

/** A client and a server of its own. */
export class Session {
  readonly process: Process;
  readonly #closed: Promise<void>;
  readonly #unanswered = new Map<number, (ending: Ending) => void>();
  #unsettled: { after: number; callback: () => void }[] = [];
  #asked = 0;

  constructor(
    readonly run: Run,
    readonly client: Client,
    readonly project: string | null,
  ) {
    this.process = run.start(["--client", client], client === "code" ? { CLAUDECODE: "1" } : {}, project);
    this.#closed = this.#listen();
    run.count("servers");
  }

  /** Introduces the client. */
  async open(): Promise<void> {
    const { method, params } = initialize(clientInfo[this.client]);
    await this.#ask(method, params).ending;
    this.#write({ method: "notifications/initialized" });
  }

  act(action: ServerAction): Promise<unknown> {
    if (action.kind === "send") return this.#sendAll(action);
    if (action.kind === "fetch") return this.fetch(action);
    if (action.kind === "leave") return this.leave(action.how);
    return noteClear(this.run, this.process, this.#call("relay_clear", {}).ending);
  }

  /** Asks for a page, and cancels that so many milliseconds later, or after the answer. */
  async fetch({ limit, unreadOnly, everyProject, cancelAfter }: Action<"fetch">): Promise<void> {
    const wanted = { reader: this.client, project: everyProject ? null : this.project };
    const args = { limit, unread_only: unreadOnly, project: everyProject ? "*" : null };
    const { id, ending } = this.#call("relay_fetch", args);
    const { fetch, noted } = noteFetch(this.run, this.process, wanted, ending, readFramed);
    await (typeof cancelAfter === "number" ? Bun.sleep(cancelAfter) : noted);
    this.#onSettled(() => {
      fetch.settled = performance.now();
    });
    fetch.cancelled = cancelAfter !== null;
    if (fetch.cancelled) this.#cancel(id);
  }

  /** Asks the server to end, if nobody did, and waits until it did. */
  async leave(how: Action<"leave">["how"]): Promise<void> {
    const { process } = this;
    if (!Number.isFinite(process.asked)) {
      process.asked = performance.now();
      if (how === "end of input") closeInput(process);
      else process.child.kill(how);
    }
    await this.#closed;
  }

  /** Sends everything at once, and waits for all but what is cancelled. */
  async #sendAll({ drafts, cancelsOne }: Action<"send">): Promise<void> {
    const sent = drafts.map((draft) => {
      const message = { ...this.run.compose(draft), sender: this.client, muted: false, files: 0 };
      const args = { message: message.text, project: draft.project, reply_to: message.replyTo };
      const { id, ending } = this.#call("relay_send", args);
      return { id, noted: noteSend(this.run, this.process, message, ending) };
    });
    const cancelled = cancelsOne ? sent.shift() : undefined;
    if (cancelled) this.#cancel(cancelled.id);
    await Promise.all(sent.map(({ noted }) => noted));
  }

  #call(name: string, args: Record<string, unknown>) {
    this.run.count(`calls: ${name}`);
    return this.#ask("tools/call", { name, arguments: args });
  }

  /** Asks. A process that is gone, and a request that was cancelled, has no answer. */
  #ask(method: string, params: Record<string, unknown>) {
    const id = this.#asked++;
    const { promise: ending, resolve } = Promise.withResolvers<Ending>();
    if (Number.isFinite(this.process.ended)) resolve({});
    else this.#unanswered.set(id, resolve);
    this.#write({ id, method, params });
    return { id, ending };
  }

  #cancel(requestId: number): void {
    this.#write({ method: "notifications/cancelled", params: { requestId } });
    this.run.count("cancels");
  }

  /** Calls back once the server surely did what it still had to do, because it answered twice, one after the other. */
  #onSettled(callback: () => void): void {
    const onAnswer = (next: () => void) => this.#unsettled.push({ after: this.#asked, callback: next });
    onAnswer(() => onAnswer(callback));
  }

  async #listen(): Promise<void> {
    const { name, child, errors } = this.process;
    for await (const line of readLines(child.stdout)) this.#hear(line);
    await Promise.all([errors, child.exited]);
    for (const resolve of this.#unanswered.values()) resolve({});
    const { killed, asked } = this.process;
    if (!Number.isFinite(killed) && (child.exitCode !== 0 || !Number.isFinite(asked)))
      this.run.violated("output", `${name} ended with ${child.exitCode}, asked or not: ${await errors}`);
  }

  #hear(line: string): void {
    const { jsonrpc, id, result, error } = /^\{.*\}$/.test(line) ? JSON.parse(line) : {};
    if (jsonrpc !== "2.0") this.run.violated("output", `${this.process.name} wrote a line: ${line}`);
    const due = this.#unsettled.filter(({ after }) => id >= after);
    this.#unsettled = this.#unsettled.filter(({ after }) => !(id >= after));
    for (const { callback } of due) callback();
    const text = error?.message ?? result?.content?.[0].text ?? "";
    this.#unanswered.get(id)?.(error || result?.isError ? { refused: text } : { answer: text });
    this.#unanswered.delete(id);
  }

  #write(message: Record<string, unknown>): void {
    try {
      this.process.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
      void Promise.resolve(this.process.child.stdin.flush()).catch(() => {});
    } catch {} // it was killed
  }
}
