import { type Client, clients, otherClient } from "../../src/core/client.ts";
import { windowSize } from "../../src/core/limits.ts";
import type { Loss, PageMessage } from "../../src/core/store.ts";

/** A page, or the losses on a receipt, on its way to somebody. */
export interface Given {
  name: string;
  reader: Client;
  messages: readonly PageMessage[];
  losses: readonly Loss[];
}

/**
 * Promise 1 from outside, whatever a buffer may hold: who was shown what, and who was told of which loss. Not one of
 * its entries is taken from a buffer's or a reference's rows.
 */
export class Ledger {
  readonly wrong: string[] = [];
  #sent = new Map<number, Client>();
  /** What was not evicted or cleared, by what was said of it; the oldest first. */
  #window = new Set<number>();
  /** By which claims each message arrived, and was not taken back. */
  #arrived = new Map<number, Set<string>>();
  #begun = new Set<number>();
  /** `7 code`: Code knows that message 7 is lost. A count, because telling can be taken back. */
  #told = new Map<string, number>();

  /** Another file is in the old one's place. */
  reset(): void {
    for (const book of [this.#sent, this.#window, this.#arrived, this.#begun, this.#told]) book.clear();
  }

  /** The receipt names the evicted; the original's has none, and drops whatever is oldest. */
  sent(sender: Client, id: number, evicted?: readonly number[]): void {
    this.#sent.set(id, sender);
    this.#window.add(id);
    for (const gone of evicted ?? [...this.#window].slice(0, -windowSize)) this.#window.delete(gone);
  }

  /**
   * Something of the page may have been shown from now on. Whoever stood still with a message that then went to somebody
   * else, and was dropped, shows it without a label: nothing is left in the file that tells.
   */
  begun({ messages }: Given): void {
    for (const { id, maybe_shown } of messages) {
      const isAgain = this.#begun.has(id) && this.#window.has(id);
      if (isAgain && !maybe_shown) this.wrong.push(`${id} is shown twice, and nothing says so`);
      this.#begun.add(id);
    }
  }

  delivered({ name, reader, messages, losses }: Given): void {
    for (const { id } of messages) this.#arrivals(id).add(name);
    for (const { id } of losses) this.#tell(reader, id, 1);
  }

  reopened({ name, reader, messages, losses }: Given): void {
    for (const { id } of messages) this.#arrivals(id).delete(name);
    for (const { id } of losses) this.#tell(reader, id, -1);
  }

  /** Whoever deletes messages knows of them, but not of those that were gone before. */
  cleared(by: string): void {
    for (const id of this.#window) for (const client of clients) if (client === by) this.#tell(client, id, 1);
    this.#window.clear();
  }

  /** The original gave it to its reader. */
  readElsewhere(reader: Client, ids: readonly number[]): void {
    for (const id of ids) if (this.#sent.get(id) === otherClient(reader)) this.#arrivals(id).add("original");
  }

  /** Once nothing waits any more: what neither arrived nor was told as lost, to its reader or to its author. */
  missing(): string[] {
    const unknown = [...this.#sent.keys()]
      .filter((id) => this.#arrivals(id).size === 0)
      .flatMap((id) => clients.map((client) => `${id} ${client}`))
      .filter((key) => !this.#told.get(key));
    return [...this.wrong, ...unknown.map((key) => `${key} knows nothing of its fate`)];
  }

  #tell(client: Client, id: number, times: number): void {
    const key = `${id} ${client}`;
    this.#told.set(key, (this.#told.get(key) ?? 0) + times);
  }

  #arrivals(id: number): Set<string> {
    const found = this.#arrived.get(id) ?? new Set();
    this.#arrived.set(id, found);
    return found;
  }
}
