import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";
import type { Log } from "./log.ts";
import { answeredId, cancelledId, requestId } from "./requests.ts";

/** Tells of each request and its outcome, and never of a text, an argument or the environment. */
export function traceTraffic(log: Log): (message: JSONRPCMessage, direction: "in" | "out") => void {
  type Asked = Map<RequestId, { what: string; at: number }>;
  const asked: Record<"in" | "out", Asked> = { in: new Map(), out: new Map() };
  return (message, direction) => {
    const request = requestId(message);
    const cancelled = cancelledId(message);
    if (cancelled !== undefined) asked[direction].delete(cancelled);
    if (request !== undefined)
      asked[direction].set(request, { what: describe(message), at: performance.now() });
    const answered = answeredId(message);
    const askedThere = asked[direction === "in" ? "out" : "in"];
    const question = answered === undefined ? undefined : askedThere.get(answered);
    if (answered === undefined || !question) return;
    askedThere.delete(answered);
    log(`${question.what}: ${outcome(message)}, ${(performance.now() - question.at).toFixed(1)} ms`);
  };
}

function describe(message: JSONRPCMessage): string {
  if (!("method" in message)) return "answer";
  const name = message.method.startsWith("tools/") ? message.params?.name : undefined;
  return [message.method, ...(typeof name === "string" ? [JSON.stringify(name.slice(0, 40))] : [])].join(" ");
}

function outcome(message: JSONRPCMessage): string {
  if ("error" in message) return `error ${message.error.code}`;
  return "result" in message && message.result.isError ? "refused" : "done";
}
