import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";

/** The id of the request that this message is, or `undefined`. */
export function requestId(message: JSONRPCMessage): RequestId | undefined {
  return "method" in message && "id" in message ? message.id : undefined;
}

/** The id of the request that this message answers, or `undefined`. */
export function answeredId(message: JSONRPCMessage): RequestId | undefined {
  return "method" in message ? undefined : message.id;
}

/** The id of the request that this notification cancels, or `undefined`. */
export function cancelledId(message: JSONRPCMessage): RequestId | undefined {
  if (!("method" in message) || "id" in message || message.method !== "notifications/cancelled")
    return undefined;
  const id = message.params?.requestId;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

/** An answer that is an error. Without an id it answers a line that is no request. */
export function errorAnswer(id: RequestId | undefined, code: number, message: string): JSONRPCMessage {
  return { jsonrpc: "2.0", ...(id === undefined ? {} : { id }), error: { code, message } };
}
