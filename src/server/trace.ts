import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";
import { printableJson } from "../core/escape.ts";
import type { Output } from "../platform/output.ts";
import { answeredId, cancelledId, requestId } from "./json-rpc.ts";

/** Writes a line for people. Never waits and never throws. */
export type Log = (text: string) => void;

/** A log on this output. */
export function createLog(output: Output): Log {
  return (text) => void output(new TextEncoder().encode(`relay: ${text}\n`)).catch(() => {}); // a reader may be gone
}

/** Logs each request and its outcome, never a text, an argument or the environment. */
export function traceTraffic(log: Log): (message: JSONRPCMessage, direction: "in" | "out") => void {
  type Open = Map<RequestId, { name: string; at: number }>;
  const open: Record<"in" | "out", Open> = { in: new Map(), out: new Map() };
  return (message, direction) => {
    const asked = requestId(message);
    if (asked !== undefined) open[direction].set(asked, { name: describe(message), at: performance.now() });
    const cancelled = cancelledId(message);
    if (cancelled !== undefined) open[direction].delete(cancelled);
    const answered = answeredId(message);
    const requests = open[direction === "in" ? "out" : "in"];
    const request = answered === undefined ? undefined : requests.get(answered);
    if (answered === undefined || !request) return;
    requests.delete(answered);
    log(`${request.name}: ${outcome(message)}, ${(performance.now() - request.at).toFixed(1)} ms`);
  };
}

function describe(message: JSONRPCMessage): string {
  if (!("method" in message)) return "answer";
  const name = message.method.startsWith("tools/") ? message.params?.name : undefined;
  return [message.method, ...(typeof name === "string" ? [printableJson(name.slice(0, 40))] : [])].join(" ");
}

function outcome(message: JSONRPCMessage): string {
  if ("error" in message) return `error ${message.error.code}`;
  return "result" in message && message.result.isError ? "refused" : "done";
}
