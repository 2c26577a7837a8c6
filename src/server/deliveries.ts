import type { RequestId } from "@modelcontextprotocol/sdk/types.js";
import type { Claim } from "../relay/claim.ts";

// A client that cancels has sent few requests meanwhile.
const remembered = 100;

/**
 * Which answer carries which claim, and which answers nobody waits for any more. The SDK drops the answer of a
 * cancelled request without a word, so whoever claims a page must learn it here.
 */
export interface Deliveries {
  /** A request came in. Its id may have been used before. */
  received(id: RequestId): void;
  /** The client stopped waiting. Whatever was claimed for this request is offered again, even if it was delivered. */
  cancelled(id: RequestId): void;
  /** Whether the client stopped waiting for this answer. */
  isCancelled(id: RequestId): boolean;
  /** The answer to this request carries this claim. Withdrawn at once if nobody waits for it any more. */
  attach(id: RequestId, claim: Claim): void;
  /** The claim that this answer carries. */
  find(id: RequestId): Claim | undefined;
  /** From now on whoever shows the answer settles its claim. */
  take(id: RequestId): void;
  /** The answer was shown and its claim delivered. Should the client have cancelled, it is offered again. */
  delivered(id: RequestId, claim: Claim): Promise<void>;
  /** Withdraws every claim whose answer was not shown. */
  withdrawAll(): Promise<void>;
}

/** Nothing is on its way yet. `failed` hears of claims that could not be given back, which happens by itself later. */
export function createDeliveries(failed: (error: unknown) => void): Deliveries {
  const waiting = new Map<RequestId, Claim>();
  const shown = new Map<RequestId, Claim>();
  const cancelled = new Map<RequestId, true>();

  const withdraw = (claim: Claim | undefined) => claim?.withdraw(false).catch(failed);

  return {
    received: (id) => void cancelled.delete(id),
    cancelled(id) {
      remember(cancelled, id, true);
      void withdraw(waiting.get(id));
      waiting.delete(id);
      void shown.get(id)?.reopen().catch(failed);
      shown.delete(id);
    },
    isCancelled: (id) => cancelled.has(id),
    attach(id, claim) {
      if (cancelled.has(id)) void withdraw(claim);
      else waiting.set(id, claim);
    },
    find: (id) => waiting.get(id),
    take: (id) => void waiting.delete(id),
    async delivered(id, claim) {
      if (cancelled.has(id)) await claim.reopen();
      else remember(shown, id, claim);
    },
    withdrawAll: async () => {
      const claims = [...waiting.values()];
      waiting.clear();
      await Promise.all(claims.map(withdraw));
    },
  };
}

function remember<T>(map: Map<RequestId, T>, id: RequestId, value: T): void {
  map.set(id, value);
  if (map.size > remembered) map.delete(map.keys().next().value as RequestId);
}
