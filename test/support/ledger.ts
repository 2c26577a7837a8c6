import { type Client, otherClient } from "../../src/core/client.ts";
import type { Page } from "../../src/core/leased-page.ts";
import { windowSize } from "../../src/core/limits.ts";

/**
 * Promise 1 from outside, whatever a store or a reference holds: each message is shown, or its reader learns that it
 * was dropped, and none is shown twice without its label.
 */
export class Ledger {
  readonly wrong: string[] = [];
  readonly #readers = new Map<number, Client>();
  /** What was neither evicted nor cleared, as far as receipts say. */
  #window: number[] = [];
  readonly #shown = new Set<number>();
  /** Messages whose reader has them, knows that they are gone, or took them away itself. */
  readonly #settled = new Set<number>();

  /** A receipt names the evicted messages; the original has none, and drops the oldest ones. */
  sent(sender: Client, id: number, evicted?: readonly number[]): void {
    this.#readers.set(id, otherClient(sender));
    this.#window.push(id);
    const gone = evicted ?? this.#window.slice(0, -windowSize);
    this.#window = this.#window.filter((each) => !gone.includes(each));
  }

  /**
   * The page is on somebody's screen. Two readers may show a message that went from one to the other and then had to make
   * room, because nothing in the buffer tells the slower one.
   */
  written({ messages }: Page, unread: readonly number[]): void {
    for (const { id, redelivered } of messages) {
      if (!unread.includes(id)) continue;
      const isAgain = this.#shown.has(id) && this.#window.includes(id);
      if (isAgain && !redelivered) this.wrong.push(`${id} was shown twice without a label`);
      this.#shown.add(id);
    }
  }

  acked({ dropped }: Page, unread: readonly number[]): void {
    for (const id of [...unread, ...dropped.map((each) => each.id)]) this.#settled.add(id);
  }

  /** Nobody waited for the page. A message that had to make room meanwhile is not offered again. */
  undelivered(unread: readonly number[]): void {
    for (const id of unread) if (this.#window.includes(id)) this.#settled.delete(id);
  }

  cleared(by: string): void {
    for (const id of this.#window) if (this.#readers.get(id) === by) this.#settled.add(id);
    this.#window = [];
  }

  /** The original gave these to its reader. */
  readElsewhere(reader: Client, ids: readonly number[]): void {
    for (const id of ids) if (this.#readers.get(id) === reader) this.#settled.add(id);
  }

  /** What is wrong once nothing waits any more. */
  faults(): string[] {
    const lost = [...this.#readers.keys()].filter((id) => !this.#settled.has(id));
    return [...this.wrong, ...lost.map((id) => `${id} was neither shown nor named as dropped`)];
  }
}
