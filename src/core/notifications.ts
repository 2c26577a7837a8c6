import { type Client, clientTitle, otherClient } from "./client.ts";
import type { Clock } from "./clock.ts";
import { stripUnsafe } from "./escape.ts";
import type { Announcement, Notifier } from "./notifier.ts";
import type { NotificationLease, NotificationPolicy, NotificationPreference, Store } from "./store.ts";
import { isSoundName } from "./validate.ts";

/** How long a process whose notifier failed leaves announcing to others, in milliseconds. */
const restMs = 300_000;

/** What became of a notification. `failure` is `null` if it was shown. */
export interface NotificationOutcome {
  reader: Client;
  count: number;
  failure: string | null;
}

/** What notifications need. */
export interface NotificationsOptions {
  store: Store;
  clock: Clock;
  notifier: Notifier;
  /** Whether a message that this process stores counts as announced. */
  muted: () => boolean;
  onOutcome?: ((outcome: NotificationOutcome) => void) | undefined;
  onError?: (error: unknown) => void;
}

/** What announces messages to people: design.md, "Announcing". Nothing here throws. */
export class Notifications {
  readonly #options: NotificationsOptions;
  readonly #running = new Set<Promise<void>>();
  #unstored: { client: Client; preference: NotificationPreference } | null = null;
  #restUntil = Number.NEGATIVE_INFINITY;
  #stopped = false;

  /** Nothing is announced yet. */
  constructor(options: NotificationsOptions) {
    this.#options = options;
  }

  /** Who announces the next message that this process stores. */
  get policy(): NotificationPolicy {
    return this.#options.muted() ? "never" : this.#isResting ? "later" : "now";
  }

  /** Shows a notification once the receipt is on its way. */
  announce(lease: NotificationLease): void {
    // starting a program takes a moment, for which the receipt need not wait
    const shown = new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#show(lease));
    const tracked = shown.catch(this.#failed).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** Announces what nobody announced. `final`: this process looks for the last time. */
  async look({ final = false } = {}): Promise<void> {
    try {
      if (this.#unstored) await this.prefer(this.#unstored.client, this.#unstored.preference);
      if (this.policy !== "now") return;
      for (const lease of await this.#options.store.leaseNotifications({ final })) this.announce(lease);
    } catch (error) {
      this.#failed(error); // the next look comes soon
    }
  }

  /** Stores what this process's client prefers; a look tries again if that fails. */
  async prefer(client: Client, preference: NotificationPreference): Promise<void> {
    this.#unstored = { client, preference };
    try {
      await this.#options.store.prefer(client, preference);
      this.#unstored = null;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Resolves when all that this process announces was shown, or was not. */
  async finish(): Promise<void> {
    while (this.#running.size > 0 && !this.#stopped) await Promise.all(this.#running);
  }

  /** Ends all that runs. Its leases expire, and other processes announce those messages. */
  stop(): void {
    this.#stopped = true;
    this.#options.notifier.stop();
  }

  get #isResting(): boolean {
    return this.#stopped || this.#options.clock.elapsed() < this.#restUntil;
  }

  readonly #failed = (error: unknown): void => this.#options.onError?.(error);

  async #show(lease: NotificationLease): Promise<void> {
    const { notifier, store, clock, onOutcome } = this.#options;
    const { shown, finished } = notifier.show(announcementOf(lease));
    const failure = await shown;
    if (this.#stopped) return;
    onOutcome?.({ reader: lease.reader, count: lease.count, failure });
    if (failure !== null) {
      this.#restUntil = clock.elapsed() + restMs;
      return store.releaseNotification(lease);
    }
    await store.markNotified(lease);
    await finished;
  }
}

// A notification shows this many characters; the rest of a longer text is invisible unless all before it is.
const bodyCharacters = 120;
const previewCharacters = 4_096;

/** What a person is told of leased messages: for whom, from whom, how many, and how the oldest begins. */
export function announcementOf({ reader, count, more, message, sound }: NotificationLease): Announcement {
  const text = stripUnsafe(message.slice(0, previewCharacters)).replace(/\s+/g, " ").trim();
  const counted = more ? `${count} more` : count > 1 ? `${count} messages` : "";
  return {
    title: `For ${clientTitle(reader)}, from ${clientTitle(otherClient(reader))}`,
    body: shorten([counted, text || "(nothing that can be shown)"].filter(Boolean).join(": ")),
    sound: sound === "off" ? null : isSoundName(sound) ? sound : "default",
  };
}

function shorten(text: string): string {
  const characters = [...text];
  if (characters.length <= bodyCharacters) return text;
  return `${characters
    .slice(0, bodyCharacters - 1)
    .join("")
    .trimEnd()}…`;
}
