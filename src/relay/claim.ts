import type { Buffer, Loss } from "../buffer/buffer.ts";
import type { Client } from "../client.ts";
import { type Clock, timestamp } from "../clock.ts";
import { WriteFailed } from "../descriptor.ts";

// A claim younger than this is not asked about again before it is shown.
const youngMilliseconds = 1_000;

/** A page, or the losses on a receipt, on their way to a reader. Each method may be called once, in this order. */
export interface Claim {
  /** Right before it is shown: false if it meanwhile went to another reader, and must not be shown here. */
  hold(): Promise<boolean>;
  /** The kernel took every byte. */
  deliver(): Promise<void>;
  /** It was not, or perhaps only in part, shown: it is offered again. */
  withdraw(maybeShown: boolean): Promise<void>;
  /** It was delivered to somebody who had stopped waiting for it: it is offered again. */
  reopen(): Promise<void>;
}

/**
 * Shows what a claim holds and settles the claim by what became of it: delivered when `write` resolved, else offered
 * again. `abandoned` tells, once everything is written, whether the reader had stopped waiting. Throws what `write` threw.
 */
export async function show(
  claim: Claim | null | undefined,
  write: () => Promise<void>,
  abandoned = () => false,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    await claim?.withdraw(!(error instanceof WriteFailed) || error.started);
    throw error;
  }
  await (abandoned() ? claim?.withdraw(true) : claim?.deliver());
}

/** What a claim holds. */
interface Held {
  name: string;
  reader: Client;
  ids: readonly number[];
  losses: readonly Loss[];
}

/** The handle on a claim that the buffer has just taken. */
export function claimHandle(buffer: Buffer, clock: Clock, held: Held): Claim {
  const taken = clock.elapsed();
  const { name, reader, ids, losses } = held;
  let readAt = "";
  return {
    hold: async () => clock.elapsed() - taken < youngMilliseconds || (await buffer.renew(name, ids)),
    deliver() {
      readAt = timestamp(clock.now());
      return buffer.deliver(name, { reader, ids, readAt });
    },
    withdraw: (maybeShown) => buffer.withdraw(name, maybeShown),
    reopen: () => buffer.reopen({ reader, ids, readAt, losses }),
  };
}
