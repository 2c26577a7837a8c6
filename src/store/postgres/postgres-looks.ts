import type { Client } from "../../core/client.ts";
import type { Clock } from "../../core/clock.ts";
import type { DatabaseUrl } from "../../core/database-url.ts";
import type { ClientPreference, NotificationLease } from "../../core/store.ts";
import { LookSchedule } from "./look-schedule.ts";
import { PostgresListener } from "./postgres-listener.ts";

/** Servers of this machine to whose next look an announcement was left; `null` if it was not. */
export type Deferred = number[] | null;

interface FoundByLook {
  leases: NotificationLease[];
  deferred: Deferred;
  channel: string;
  /** In so many milliseconds more may be due. */
  next: number | null;
}

/** What looks need of the store. */
export interface LookOptions {
  url: DatabaseUrl;
  clock: Clock;
  isRunning: (process: number) => boolean;
  /** Calls `relay.look` of functions.sql once, for this process. */
  look(args: object): Promise<FoundByLook | null>;
  /** Closes the store's connection. */
  disconnect(): void;
}

/** The looks of a process for unannounced messages. */
export class PostgresLooks {
  readonly #options: LookOptions;
  readonly #schedule: LookSchedule;
  #listener: PostgresListener | null = null;

  constructor(options: LookOptions) {
    this.#options = options;
    this.#schedule = new LookSchedule(options.clock);
  }

  /** From now on listens for words from other processes, each of which makes a look due and calls `wake`. */
  watch(wake: () => void): void {
    const { url, clock } = this.#options;
    this.#listener ??= new PostgresListener(url, clock, () => {
      this.#schedule.wake();
      wake();
    });
  }

  /** Leases unannounced messages, if a look is due. */
  async lease(final: boolean, own: ClientPreference | null): Promise<NotificationLease[]> {
    if (this.#schedule.hasSlept()) {
      this.#options.disconnect();
      this.close();
    }
    if (!final && !this.#schedule.isDue()) return [];
    try {
      return await this.#look({ final, own, echo: this.#listener?.nextEcho() ?? null });
    } catch (error) {
      this.#schedule.failed();
      throw error;
    }
  }

  /** Leases what a send left to servers, if none of them runs; `null` if one does. */
  async leaseLeft(deferred: Deferred, reader: Client): Promise<NotificationLease | null> {
    if (!this.#areGone(deferred)) return null;
    // the message is stored, whatever becomes of this
    const [notification = null] = await this.#look({ gone: deferred, reader }).catch(() => []);
    return notification;
  }

  /** Stops listening until the next look. */
  close(): void {
    this.#listener?.close();
  }

  #areGone(processes: Deferred): processes is number[] {
    return processes !== null && !processes.some((process) => this.#options.isRunning(process));
  }

  async #look(args: object): Promise<NotificationLease[]> {
    const found = await this.#options.look(args);
    if (!found) return [];
    const { leases, deferred, channel, next } = found;
    if (this.#areGone(deferred)) return this.#look({ ...args, gone: deferred });
    this.#schedule.succeeded(next, this.#listener?.hears ?? false);
    void this.#listener?.open(channel);
    return leases;
  }
}
