import {
  type JSONRPCMessage,
  JSONRPCMessageSchema,
  type RequestId,
  type Result,
} from "@modelcontextprotocol/sdk/types.js";

/** Whether a value is a response, right or wrong, or a batch of them. If relay answered one, a client that does so too would never end. */
export function isResponse(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(isResponse);
  return isObject(value) && typeof value.method !== "string" && ("result" in value || "error" in value);
}

/**
 * The part of a response's result that relay asks for; nothing of an error or of a bent result. Any response answers a ping, and
 * the SDK drops one with other members of a wrong type.
 */
export function resultOf(value: unknown): Result {
  const { roots } = isObject(value) && isObject(value.result) ? value.result : {};
  return roots === undefined ? {} : { roots };
}

/** The request or notification in a value, without members that are null; `undefined` if it holds none. */
export function parseMessage(value: unknown): JSONRPCMessage | undefined {
  // some clients write their notifications like requests
  const { id, method } = isObject(value) ? value : {};
  const isRequest = typeof method !== "string" || !method.startsWith("notifications/");
  return id === null && isRequest ? undefined : JSONRPCMessageSchema.safeParse(withoutNulls(value, 3)).data;
}

/** Leaves out null members down to this level: the third one is in the arguments of a tool. */
function withoutNulls(value: unknown, levels: number): unknown {
  if (levels === 0 || !isObject(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member, levels - 1)]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The id of a value that may be a message. A client that reads whole numbers cannot read an answer with another id. */
export function idOf(value: unknown): RequestId | undefined {
  const id = isObject(value) ? value.id : undefined;
  return typeof id === "string" || Number.isSafeInteger(id) ? (id as RequestId) : undefined;
}

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

/** An error as an answer; without an id, to a line that is no request. JSON-RPC wants null there, which the SDK's type lacks. */
export function errorAnswer(id: RequestId | undefined, code: number, message: string): JSONRPCMessage {
  return { jsonrpc: "2.0", id: id ?? (null as never), error: { code, message } };
}
