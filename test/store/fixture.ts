import type { Client } from "../../src/core/client.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { PageMessage, PageRequest } from "../../src/core/leased-page.ts";
import type { NewMessage } from "../../src/core/message.ts";
import type { Appended, Store } from "../../src/core/store.ts";

/** What a store knows of its process; a server has a number. */
export interface TestProcess {
  server?: number;
  project?: string;
  historyDays?: number;
}

/** An empty buffer that does not exist yet, and is gone at the end of the test. */
export interface TestBuffer extends AsyncDisposable {
  /** Opens the buffer as another process does. */
  open(process?: TestProcess): Store;
}

/** Makes a buffer whose stores take the time from this clock, and ask this function which processes run. */
export type MakeBuffer = (clock: Clock, isRunning: (process: number) => boolean) => TestBuffer;

/** A buffer, two processes that use it, and a clock that the test sets. Use with `await using`. */
export class Fixture implements AsyncDisposable {
  /** Milliseconds since 1970. */
  time = Date.now();
  /** The numbers of the processes that run. */
  readonly running = new Set<number>();
  readonly one: Store;
  readonly two: Store;
  readonly #buffer: TestBuffer;

  constructor(make: MakeBuffer) {
    const clock = { now: () => this.time, elapsed: () => performance.now() };
    this.#buffer = make(clock, (process) => this.running.has(process));
    this.one = this.#buffer.open();
    this.two = this.#buffer.open();
  }

  /** The store of a running server of this number. */
  server(process: number): Store {
    this.running.add(process);
    return this.#buffer.open({ server: process });
  }

  /** The store of another process. */
  open(process: TestProcess): Store {
    return this.#buffer.open(process);
  }

  /** Stores a message that nobody announces. */
  async append(message: NewMessage): Promise<Appended> {
    const appended = await this.one.append({ ...message, notify: "never" });
    this.time += 1;
    return appended;
  }

  /** Stores messages that nobody announces, a millisecond apart. Answers their ids. */
  async send(sender: Client, ...texts: string[]): Promise<number[]> {
    const ids: number[] = [];
    for (const message of texts) ids.push((await this.append({ sender, message })).id);
    return ids;
  }

  /** The page that a request of {@link request} finds, leased by the second process. Throws if nothing needs an ack. */
  async lease(options: Partial<PageRequest> = {}) {
    const { page, lease } = await this.two.lease(request(options));
    if (!lease) throw new Error("nothing to lease");
    return { page, lease };
  }

  /** Leases such a page and acks it. */
  async read(options: Partial<PageRequest> = {}) {
    const { page, lease } = await this.lease(options);
    await this.two.ack(lease);
    return page;
  }

  /** What waits for Code and is not in flight, as {@link texts}. */
  async waiting(): Promise<string[]> {
    return texts((await this.one.peek(request())).messages);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#buffer[Symbol.asyncDispose]();
  }
}

/** A request of Code's for all that waits, unless the options say otherwise. */
export function request(options: Partial<PageRequest> = {}): PageRequest {
  return { reader: "code", limit: 20, includeRead: false, size: "tool", origin: "command", project: null, ...options };
}

/** The texts of messages; a question mark follows those that may have been shown before. */
export function texts(messages: readonly PageMessage[]): string[] {
  return messages.map(({ message, redelivered }) => `${message}${redelivered ? "?" : ""}`);
}

/** The whole numbers from one to another, as texts. */
export function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);
}
