import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";
import { requestId } from "./requests.ts";

const recheckMilliseconds = 20;

/** Requests that were read and have to wait, because the client does not take its answers. */
export interface Backlog {
  /** Takes a request on once everything before it was taken on, and there is room. */
  add(request: JSONRPCMessage, bytes: number): void;
  /** Forgets the last request of this id, and tells whether there was one. */
  cancel(id: RequestId): boolean;
  readonly length: number;
  readonly bytes: number;
}

/** An empty backlog. */
export function createBacklog(hasRoom: () => boolean, take: (request: JSONRPCMessage) => void): Backlog {
  const waiting: { request: JSONRPCMessage; bytes: number }[] = [];
  let bytes = 0;
  let working = false;

  const work = async () => {
    working = true;
    while (waiting.length > 0) {
      const next = hasRoom() ? waiting.shift() : undefined;
      if (!next) {
        await Bun.sleep(recheckMilliseconds);
        continue;
      }
      bytes -= next.bytes;
      take(next.request);
    }
    working = false;
  };

  return {
    add(request, size) {
      waiting.push({ request, bytes: size });
      bytes += size;
      if (!working) void work();
    },
    cancel(id) {
      const place = waiting.findLastIndex(({ request }) => requestId(request) === id);
      const [cancelled] = place < 0 ? [] : waiting.splice(place, 1);
      bytes -= cancelled?.bytes ?? 0;
      return cancelled !== undefined;
    },
    get length() {
      return waiting.length;
    },
    get bytes() {
      return bytes;
    },
  };
}
