import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";

/** How many answers can still be taken back. A client that cancels has sent few requests meanwhile. */
export const rememberedAnswers = 100;

/**
 * The ids of requests, inside and outside: the SDK takes the ids 0 and "" for none when they are cancelled, and a client
 * may use an id again. Inside each request has a number of its own, from 1 on.
 */
export interface RequestIds {
  /** The number of a request that came in by this id. */
  enter(id: RequestId): number;
  /** The number of the last request that came in by this id, unless it was cancelled, or answered before {@link rememberedAnswers} others. */
  find(id: RequestId): number | undefined;
  /** An answer as it goes out; `null` if nobody waits for it any more. */
  restore(answer: JSONRPCMessage): JSONRPCMessage | null;
  /** The request was answered. */
  answered(number: number): void;
  /** Nobody waits for the answer. */
  cancelled(number: number): void;
}

/** No request has come in yet. */
export function createRequestIds(): RequestIds {
  const numbers = new Map<RequestId, number>();
  const ids = new Map<number, RequestId>();
  const past = new Set<number>();
  let last = 0;

  const forget = (number: number) => {
    const id = ids.get(number);
    if (id !== undefined && numbers.get(id) === number) numbers.delete(id);
    ids.delete(number);
    past.delete(number);
  };

  return {
    enter(id) {
      last += 1;
      numbers.set(id, last);
      ids.set(last, id);
      return last;
    },
    find: (id) => numbers.get(id),
    restore(answer) {
      const id = "id" in answer ? ids.get(answer.id as number) : undefined;
      return id === undefined ? null : ({ ...answer, id } as JSONRPCMessage);
    },
    answered(number) {
      if (ids.has(number)) past.add(number);
      const [oldest] = past;
      if (past.size > rememberedAnswers && oldest !== undefined) forget(oldest);
    },
    cancelled: forget,
  };
}
