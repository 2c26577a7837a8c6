import {
  ErrorCode,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from "@modelcontextprotocol/sdk/types.js";
import { errorMessage } from "../core/errors.ts";
import type { Line } from "./lines.ts";
import { wrongParams } from "./params.ts";

/** A line of input as a message for the SDK, or what to answer where the SDK would stay silent. */
export type Input = { message: JSONRPCMessage; bytes: number } | { reply: JSONRPCMessage } | null;

/** Reads a line. A blank one is nothing; one that is no message gets the error that JSON-RPC wants. */
export function readInput(line: Line): Input {
  if ("tooLong" in line) {
    return reply(
      undefined,
      ErrorCode.InvalidRequest,
      `the line is ${line.tooLong} bytes long. Send shorter requests.`,
    );
  }
  if (line.text.trim() === "") return null;
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    return reply(undefined, ErrorCode.ParseError, "the line is not JSON. Send one JSON-RPC message a line.");
  }
  if (isMessage(value)) return { message: withArguments(value), bytes: line.text.length };
  return reply(
    idOf(value),
    ErrorCode.InvalidRequest,
    "this is not a JSON-RPC message of MCP. Send one message a line, not a batch.",
  );
}

/** The id of the request that this message asks, or `undefined`. */
export function requestId(message: JSONRPCMessage): RequestId | undefined {
  return "method" in message && "id" in message ? message.id : undefined;
}

/** The id of the request that this message answers, or `undefined`. */
export function answeredId(message: JSONRPCMessage): RequestId | undefined {
  return "method" in message ? undefined : message.id;
}

/** The id of the request that this message cancels, or `undefined`. A request of that name is none. */
export function cancelledId(message: JSONRPCMessage): RequestId | undefined {
  if (!("method" in message) || "id" in message || message.method !== "notifications/cancelled")
    return undefined;
  return message.params?.requestId as RequestId | undefined;
}

/** The message that cancels a request, as one that cancels the request of another id. */
export function withCancelledId(message: JSONRPCMessage, requestId: RequestId): JSONRPCMessage {
  return "method" in message ? { ...message, params: { ...message.params, requestId } } : message;
}

/** The answer to a request whose parameters are not what its method takes; `null` if they are. */
export function invalidParams(message: JSONRPCMessage): JSONRPCMessage | null {
  const id = requestId(message);
  const wrong = id === undefined ? null : wrongParams(message as JSONRPCRequest);
  return id === undefined || wrong === null ? null : errorAnswer(id, ErrorCode.InvalidParams, wrong);
}

/** The answer to a request that failed for a reason of relay's own. */
export function internalError(id: RequestId, error: unknown): JSONRPCMessage {
  return errorAnswer(id, ErrorCode.InternalError, errorMessage(error));
}

/** A message as a line of output. */
export function encode(message: JSONRPCMessage): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(message)}\n`);
}

// The most frequent first. The SDK's schema of them all would try each again.
function isMessage(value: unknown): value is JSONRPCMessage {
  return (
    isJSONRPCRequest(value) ||
    isJSONRPCNotification(value) ||
    isJSONRPCResultResponse(value) ||
    isJSONRPCErrorResponse(value)
  );
}

// To the SDK null arguments are an error; to relay null is the same as absent.
function withArguments(message: JSONRPCMessage): JSONRPCMessage {
  if ("method" in message && message.params && message.params.arguments === null) {
    const { arguments: _, ...params } = message.params;
    return { ...message, params };
  }
  return message;
}

// A client that wants whole numbers could not read an answer with any other.
function idOf(value: unknown): RequestId | undefined {
  const id = (value as { id?: unknown } | null)?.id;
  return typeof id === "string" || Number.isSafeInteger(id) ? (id as RequestId) : undefined;
}

function reply(id: RequestId | undefined, code: number, message: string): Input {
  return { reply: errorAnswer(id, code, message) };
}

function errorAnswer(id: RequestId | undefined, code: number, message: string): JSONRPCMessage {
  return { jsonrpc: "2.0", ...(id === undefined ? {} : { id }), error: { code, message } };
}
