import type { RequestId } from "@modelcontextprotocol/sdk/types.js";
import type { Claim, Fate } from "../core/delivery.ts";
import type { Writing } from "../core/write.ts";
import { failed } from "../platform/output.ts";
import type { QueuedWriting } from "./outbox.ts";
import { rememberedAnswers } from "./request-ids.ts";

/**
 * Which answer carries which claim, and which answers nobody waits for any more. The SDK drops the answer of a
 * cancelled request without a word, so whoever claims a page must learn it here.
 */
export interface Deliveries {
  /** Work on this request begins, which may attach a claim. */
  begun(id: RequestId): void;
  /** Work on this request is over. It is answered next, unless it was cancelled. */
  ended(id: RequestId): void;
  /**
   * The client stopped waiting. Whatever was claimed for this request is offered again, even if it was delivered: then
   * as soon as the buffer can be written, if this process is still there.
   */
  cancelled(id: RequestId): void;
  /** The answer to this request carries this claim. Withdrawn at once if nobody waits for it any more. */
  attach(id: RequestId, claim: Claim): void;
  /** Writes an answer with `begin`, and settles the claim it carries. Throws what {@link Claim.show} throws. */
  deliver(id: RequestId, begin: () => QueuedWriting): Promise<Fate>;
  /**
   * Runs work that claims a page once no claim is on its way: until then nobody knows what a page should begin with.
   * What it claims must be attached before it ends. Throws, having run nothing, if the signal aborts first.
   */
  inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /**
   * Withdraws every claim of whose answer nothing is written yet; whoever waits for a turn gets none. Resolves when no
   * claim is on its way, and what could not be reopened was tried once more.
   */
  withdrawAll(): Promise<void>;
  /** On how many requests work was begun, or which are answered, just now; also those whose answer nobody waits for. */
  readonly working: number;
}

// How soon a page is reopened that could not be, because the disk was full or the file locked: at first, and after many
// tries.
const firstRetryMilliseconds = 250;
const longestRetryMilliseconds = 1_000;

/**
 * Nothing is on its way yet. `onFailure` hears of claims that could not be given back yet. They lapse, or are reopened
 * later by this process.
 */
export function createDeliveries(onFailure: (error: unknown) => void): Deliveries {
  const waiting = new Map<RequestId, Claim>();
  const writing = new Map<RequestId, QueuedWriting>();
  const shown = new Map<RequestId, Claim>();
  const working = new Set<RequestId>();
  const cancelled = new Set<RequestId>();
  const turns = new Set<() => void>();
  const owed = new Set<Claim>();
  let reopening: Promise<void> | null = null;
  let retrying = false;
  let open = 0;
  let settled = Promise.withResolvers<void>();

  const track = async <T>(work: Promise<T>): Promise<T> => {
    open += 1;
    try {
      return await work;
    } finally {
      open -= 1;
      if (isFree()) {
        settled.resolve();
        settled = Promise.withResolvers();
        const [next] = turns;
        next?.();
      }
    }
  };
  const isFree = () => open + waiting.size === 0;

  // Of a thousand that wait one is woken, which wakes the next.
  const turn = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const go = () => {
        turns.delete(go);
        signal.removeEventListener("abort", go);
        resolve();
      };
      turns.add(go);
      signal.addEventListener("abort", go);
    });
  const withdraw = (claim: Claim) => track(claim.withdraw().catch(onFailure));

  // A claim lapses by itself. What was delivered does not: until it is reopened, nobody is offered it. Whoever wants
  // another page waits for the first try alone.
  const reopen = async (claim: Claim) => {
    try {
      await track(claim.reopen());
    } catch (error) {
      onFailure(error);
      owed.add(claim);
      if (!retrying) void retry();
    }
  };
  const retry = async () => {
    retrying = true;
    for (let pause = firstRetryMilliseconds; owed.size > 0; ) {
      await Bun.sleep(pause);
      await reopenOwed();
      pause = Math.min(2 * pause, longestRetryMilliseconds);
    }
    retrying = false;
  };
  const reopenOwed = () => {
    reopening ??= reopenEach()
      .catch(() => {}) // it was said, and is tried again
      .finally(() => {
        reopening = null;
      });
    return reopening;
  };
  const reopenEach = async () => {
    for (const claim of owed) {
      await claim.reopen();
      owed.delete(claim);
    }
  };

  const show = async (id: RequestId, claim: Claim, begin: () => QueuedWriting): Promise<Fate> => {
    const abandoned = () => cancelled.has(id);
    const beginUnlessAbandoned = (): Writing => {
      if (abandoned()) return failed(false, { code: "ECANCELED" });
      const begun = begin();
      writing.set(id, begun);
      return begun;
    };
    const fate = await claim.show(beginUnlessAbandoned, abandoned).finally(() => writing.delete(id));
    if (fate === "delivered" && abandoned()) void reopen(claim);
    else if (fate === "delivered") remember(shown, id, claim);
    return fate;
  };

  // Until then a cancellation must not be forgotten, however many others there are.
  const over = (id: RequestId) => {
    working.delete(id);
    cancelled.delete(id);
  };

  return {
    begun: (id) => void working.add(id),
    ended: over,

    cancelled(id) {
      if (working.has(id)) cancelled.add(id);
      writing.get(id)?.cancel();
      const held = waiting.get(id);
      waiting.delete(id);
      if (held) void withdraw(held);
      const delivered = shown.get(id);
      shown.delete(id);
      if (delivered) void reopen(delivered);
    },

    attach(id, claim) {
      if (cancelled.has(id)) void withdraw(claim);
      else waiting.set(id, claim);
    },

    async deliver(id, begin) {
      working.add(id);
      const claim = waiting.get(id);
      try {
        if (claim) {
          const fate = track(show(id, claim, begin));
          waiting.delete(id);
          return await fate;
        }
        await begin().finished;
        return "delivered";
      } finally {
        over(id);
      }
    },

    async inTurn(work, signal) {
      while (!isFree() && !signal.aborted) await turn(signal);
      return track(signal.aborted ? Promise.reject(signal.reason) : work());
    },

    async withdrawAll() {
      for (const claim of waiting.values()) void withdraw(claim);
      waiting.clear();
      turns.clear();
      for (const queued of writing.values()) queued.cancel();
      void track(reopenOwed());
      while (open > 0) await settled.promise;
    },

    get working() {
      return working.size;
    },
  };
}

function remember<T>(map: Map<RequestId, T>, id: RequestId, value: T): void {
  map.set(id, value);
  if (map.size > rememberedAnswers) map.delete(map.keys().next().value as RequestId);
}
