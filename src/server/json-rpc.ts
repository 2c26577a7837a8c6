import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";

/** The id of a request; `undefined` for any other message. */
export function requestId(message: JSONRPCMessage): RequestId | undefined {
  return "method" in message && "id" in message ? message.id : undefined;
}

/** The id that an answer answers; `undefined` for any other message. */
export function answeredId(message: JSONRPCMessage): RequestId | undefined {
  return "method" in message ? undefined : message.id;
}

/** The id that a cancellation cancels; `undefined` for any other message. */
export function cancelledId(message: JSONRPCMessage): RequestId | undefined {
  if (!("method" in message) || "id" in message || message.method !== "notifications/cancelled") return undefined;
  const id = message.params?.requestId;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

/** An error as an answer; without an id, to a line that is no request. */
export function errorAnswer(id: RequestId | undefined, code: number, message: string): JSONRPCMessage {
  return { jsonrpc: "2.0", ...(id === undefined ? {} : { id }), error: { code, message } };
}
