import type { Clock } from "../../core/clock.ts";

// Between two looks, where words from other processes arrive: the longest time for which one may have gone unheard.
const listeningMs = 60_000;

// The longest pause after a failed look.
const longestPauseMs = 30_000;

// A server asks every two seconds. One that asked nothing for longer was asleep, with its machine.
const sleepMs = 10_000;

/** Decides at which of a server's looks the database is asked: each time, unless words arrive or the database is away. */
export class LookSchedule {
  readonly #clock: Clock;
  #dueAt = 0;
  #failures = 0;
  #askedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the machine slept since the last question, so that each open connection may be dead. The next look is due. */
  hasSlept(): boolean {
    const before = this.#askedAt;
    this.#askedAt = this.#clock.now();
    if (before === 0 || this.#askedAt < before + sleepMs) return false;
    this.wake();
    return true;
  }

  isDue(): boolean {
    return this.#clock.elapsed() >= this.#dueAt;
  }

  /** Makes the next look due. */
  wake(): void {
    this.#dueAt = 0;
  }

  /** Notes a look. `next`: more may be due after so many milliseconds. `hears`: words arrive. */
  succeeded(next: number | null, hears: boolean): void {
    this.#failures = 0;
    this.#dueAt = hears ? this.#clock.elapsed() + Math.min(next ?? listeningMs, listeningMs) : 0;
  }

  /** Notes a failed look. The pause doubles, and is random, so that a server which comes back is not asked by all at once. */
  failed(): void {
    this.#failures += 1;
    const pause = Math.min(longestPauseMs, 1_000 * 2 ** Math.min(this.#failures, 10));
    this.#dueAt = this.#clock.elapsed() + pause * (0.5 + Math.random() / 2);
  }
}
