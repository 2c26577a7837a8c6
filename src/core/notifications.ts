import { type Client, clientTitle, otherClient } from "./client.ts";
import type { Clock } from "./clock.ts";
import { stripUnsafe } from "./escape.ts";
import { typedPlaces } from "./message.ts";
import type { Notification, Notifier } from "./notifier.ts";
import type {
  ClientPreference,
  NotificationLease,
  NotificationPolicy,
  NotificationPreference,
  Store,
} from "./store.ts";
import { isSoundName } from "./validate.ts";

/** The time for which a process whose notifier failed leaves announcing to others, in milliseconds. */
const restMs = 300_000;

/** The outcome of a notification. `failure` is `null` if it was shown. */
export interface NotificationOutcome {
  reader: Client;
  count: number;
  failure: string | null;
}

/** The parts that notifications work with. */
export interface NotificationsOptions {
  store: Store;
  clock: Clock;
  notifier: Notifier;
  /** Whether a message that this process stores counts as announced. */
  muted: () => boolean;
  onOutcome?: ((outcome: NotificationOutcome) => void) | undefined;
  onError?: (error: unknown) => void;
}

/** Announces messages to people: design.md, "Announcing". No method throws. */
export class Notifications {
  readonly #options: NotificationsOptions;
  readonly #running = new Set<Promise<void>>();
  #own: ClientPreference | null = null;
  #restUntil = Number.NEGATIVE_INFINITY;
  #stopped = false;

  /** Announces nothing by itself. */
  constructor(options: NotificationsOptions) {
    this.#options = options;
  }

  /** The announcer of the next message that this process stores. */
  get policy(): NotificationPolicy {
    return this.#options.muted() ? "never" : this.#isResting ? "later" : "now";
  }

  /** Shows a notification, after the receipt went out. */
  announce(lease: NotificationLease): void {
    // starting a program takes milliseconds
    const shown = new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#show(lease));
    const tracked = shown.catch(this.#failed).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** Announces unannounced messages. `final`: this process will not look again. */
  async look({ final = false } = {}): Promise<void> {
    try {
      if (this.policy !== "now") return;
      const leases = await this.#options.store.leaseNotifications({ final, own: this.#own });
      for (const lease of leases) this.announce(lease);
    } catch (error) {
      this.#failed(error); // the next look comes soon
    }
  }

  /** Stores the preference of this process's client. */
  async prefer(client: Client, preference: NotificationPreference): Promise<void> {
    this.#own = { client, preference };
    await this.#options.store.prefer(client, preference).catch(this.#failed);
  }

  /** Resolves when each notification of this process has succeeded or failed. */
  async finish(): Promise<void> {
    while (this.#running.size > 0 && !this.#stopped) await Promise.all(this.#running);
  }

  /** Ends each running notification. Its lease expires, and another process announces the messages. */
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
    const { shown, finished } = notifier.show(notificationOf(lease));
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

// A notification shows 120 characters. More are read, because the first ones may be invisible.
const bodyCharacters = 120;
const previewCharacters = 4_096;

/** The notification of leased messages: reader, sender, number, and the first words of the oldest one. */
export function notificationOf(lease: NotificationLease): Notification {
  const { reader, count, more, message, typed_in, project, sound } = lease;
  const sender = typed_in ? `you, ${typedPlaces[typed_in]}` : clientTitle(otherClient(reader));
  const named = (client: Client, title: string) =>
    client === "code" && project !== null ? `${title} (${project})` : title;
  const text = plainText(stripUnsafe(message.slice(0, previewCharacters)));
  const number = more ? `${count} more` : count > 1 ? `${count} messages` : "";
  return {
    title: `For ${named(reader, clientTitle(reader))}, from ${named(otherClient(reader), sender)}`,
    body: shorten([number, text || "(nothing that can be shown)"].filter(Boolean).join(": ")),
    sound: sound === "off" ? null : isSoundName(sound) ? sound : "default",
  };
}

const asLine = (text: string) => `${text} `;
const prose = { heading: asLine, paragraph: asLine, listItem: asLine, th: asLine, td: asLine, code: () => " " };
// HTML is text here, and so is an indented line, which is seldom meant as code.
const parsing = { noHtmlBlocks: true, noHtmlSpans: true, noIndentedCodeBlocks: true };

// `&lt;` stays as it was written, and `&#8238;` becomes no hidden character. No text has this one any more.
const ampersand = "\u0001";

/** A safe text on one line, without Markdown's marks, link targets and code blocks; one that is nothing else, as it is. */
function plainText(text: string): string {
  const rendered = [prose, { ...prose, code: asLine }].map((callbacks) =>
    Bun.markdown.render(text.replaceAll("&", ampersand), callbacks, parsing).replaceAll(ampersand, "&"),
  );
  const lines = [...rendered, text].map((shown) => shown.replace(/\s+/g, " ").trim());
  return lines.find((line) => line !== "") ?? "";
}

function shorten(text: string): string {
  const characters = [...text];
  if (characters.length <= bodyCharacters) return text;
  return `${characters
    .slice(0, bodyCharacters - 1)
    .join("")
    .trimEnd()}…`;
}
