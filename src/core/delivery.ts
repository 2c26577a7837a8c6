import type { Client } from "./client.ts";
import { type Clock, timestamp } from "./clock.ts";
import type { Buffer, Claimed, Loss } from "./store.ts";
import { WriteFailed, type Writing } from "./write.ts";

/** What became of showing a claim: `taken` means that it meanwhile went to another reader, and was not shown here. */
export type Fate = "delivered" | "abandoned" | "taken";

/** A page, or the losses on a receipt, on their way to a reader. */
export interface Claim {
  /**
   * Shows what it holds with `begin`, unless somebody else was given it, and settles the claim by what became of that.
   * `abandoned` tells, once a slow reader has taken everything, whether it had stopped waiting. Throws WriteFailed, or
   * a `buffer` error; the messages are then offered again, labelled if any of it may have been shown. What holds losses
   * alone is shown even if the buffer fails, because a receipt is true all the same; they are told again then.
   */
  show(begin: () => Writing, abandoned?: () => boolean): Promise<Fate>;
  /** It will not be shown: it is offered again as it was. */
  withdraw(): Promise<void>;
  /** It was delivered to somebody who had stopped waiting for it: it is offered again. */
  reopen(): Promise<void>;
}

/** What a claim holds. */
interface Held extends Claimed {
  name: string;
  reader: Client;
  ids: readonly number[];
  losses: readonly Loss[];
}

/** The handle on a claim that the buffer has just taken. */
export function claimHandle(buffer: Buffer, clock: Clock, { name, reader, ids, losses, file }: Held): Claim {
  let readAt = "";
  const delivery = () => {
    readAt = timestamp(clock.now());
    return { reader, ids, readAt, file };
  };
  const settled = (work: Promise<void>) => (ids.length > 0 ? work : work.catch(() => {}));
  const giveBackUnstarted = (error: unknown) => {
    if (error instanceof WriteFailed && !error.started) buffer.withdraw(name, false).catch(() => {}); // it lapses then
  };
  return {
    async show(begin, abandoned = () => false) {
      let writing: Writing | undefined;
      // The buffer may try its transaction more than once; the write is begun once.
      const write = () => {
        writing ??= begin();
        return writing.taken;
      };
      const presented = await buffer.present(name, delivery(), write).catch((error) => {
        if (ids.length === 0) return write() ? "delivered" : "begun";
        writing?.finished.catch(giveBackUnstarted); // what still waits to be written may be taken back
        throw error;
      });
      if (presented === "delivered") return presented;
      if (presented === "taken" && !writing) {
        await buffer.withdraw(name, false);
        return presented;
      }
      try {
        await writing?.finished;
      } catch (error) {
        await settled(buffer.withdraw(name, !(error instanceof WriteFailed) || error.started));
        throw error;
      }
      if (abandoned()) {
        await settled(buffer.withdraw(name, true));
        return "abandoned";
      }
      await settled(buffer.deliver(name, delivery()));
      return "delivered";
    },
    withdraw: () => buffer.withdraw(name, false),
    reopen: () => buffer.reopen({ reader, ids, readAt, losses, file }),
  };
}
