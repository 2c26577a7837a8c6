import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";
import { RelayError } from "../core/errors.ts";
import { WriteFailed } from "../core/write.ts";
import { failed, type Output } from "../platform/output.ts";
import { createBacklog } from "./backlog.ts";
import type { Deliveries } from "./deliveries.ts";
import { type Line, lineReader } from "./lines.ts";
import { createOutbox, type QueuedWriting } from "./outbox.ts";
import { createRequestIds } from "./request-ids.ts";
import {
  answeredId,
  cancelledId,
  encode,
  internalError,
  invalidParams,
  readInput,
  requestId,
  withCancelledId,
} from "./requests.ts";

// Of a client that asks and never reads its answers, requests are held back until it does once its answers take this much
// memory; of those held back, as many characters. Only beyond that it is not listened to any more, and the end of its input
// goes unnoticed. A call that was cancelled counts until the work on it is over.
const mostBytes = 8 * 1024 * 1024;
const mostRequests = 1_000;
const recheckMilliseconds = 20;

/** Where a transport reads and writes, and who hears of it. */
export interface TransportOptions {
  input: ReadableStream<Uint8Array>;
  output: Output;
  deliveries: Deliveries;
  /** Hears of each message that was read or written. */
  onTraffic(message: JSONRPCMessage, direction: "in" | "out"): void;
  /** Hears of what went wrong and had to be borne. */
  onFailure(error: unknown): void;
}

/**
 * MCP over standard input and output. The SDK's own transport notices neither the end of its input nor whether its
 * output was taken (facts.md), and relay's promises hang on both.
 */
export interface StdioTransport extends Transport {
  /** Resolves, with the reason, when input has ended or output is gone. */
  readonly ended: Promise<string>;
  /** Reads no more, and resolves when every request read so far is answered. */
  settle(): Promise<void>;
}

/** A transport that has not begun to read. */
export function stdioTransport(options: TransportOptions): StdioTransport {
  const { input, deliveries, onTraffic, onFailure } = options;
  const outbox = createOutbox(options.output);
  const lines = lineReader();
  const ids = createRequestIds();
  const ended = Promise.withResolvers<string>();
  const settled = Promise.withResolvers<void>();
  const unanswered = new Set<number>();
  let reading = true;

  const settle = (number?: number) => {
    if (number !== undefined) unanswered.delete(number);
    if (!reading && unanswered.size + backlog.length === 0) settled.resolve();
  };

  const lost = (error: unknown) => {
    if (!(error instanceof WriteFailed)) onFailure(error);
    else if (error.code !== "ECANCELED") ended.resolve(`standard output was closed (${error.code})`);
  };

  // What answers no request that the session was given.
  const tell = async (message: JSONRPCMessage) => {
    try {
      await outbox.begin(encode(message)).finished;
      onTraffic(message, "out");
    } catch (error) {
      lost(error);
    }
  };

  const answer = async (number: number, message: JSONRPCMessage) => {
    let begun: QueuedWriting | undefined;
    const begin = (text: JSONRPCMessage) => {
      const outside = ids.restore(text);
      if (!outside) return cancelledWriting();
      begun = outbox.begin(encode(outside));
      return begun;
    };
    const written = (text: JSONRPCMessage) => {
      const outside = ids.restore(text);
      if (outside) onTraffic(outside, "out");
    };
    try {
      if ((await deliveries.deliver(number, () => begin(message))) === "taken") throw takenElsewhere;
      written(message);
    } catch (error) {
      const refusal = internalError(number, error);
      // a page that the buffer knows nothing of is not shown while it can be taken back
      if (error instanceof WriteFailed || begun?.cancel() === false) lost(error);
      else await begin(refusal).finished.then(() => written(refusal), lost);
    }
    ids.answered(number);
    settle(number);
  };

  const cancel = (id: RequestId, message: JSONRPCMessage) => {
    const number = backlog.cancel(id) ? undefined : ids.find(id);
    if (number === undefined) return settle();
    ids.cancelled(number);
    deliveries.cancelled(number);
    transport.onmessage?.(withCancelledId(message, number));
    settle(number);
  };

  const ask = (request: JSONRPCMessage) => {
    const number = ids.enter(requestId(request) as RequestId);
    unanswered.add(number);
    const inside = { ...request, id: number } as JSONRPCMessage;
    const refusal = invalidParams(inside);
    if (refusal) void answer(number, refusal);
    else transport.onmessage?.(inside);
  };

  const hasRoom = () =>
    outbox.bytes <= mostBytes && Math.max(unanswered.size, deliveries.working) <= mostRequests;
  const backlog = createBacklog(hasRoom, ask);

  // Not by answers to requests, which are held back before, but by those to lines that are none: some 5,000 of them.
  const isOverrun = () => backlog.bytes > mostBytes || outbox.bytes > 2 * mostBytes;

  const receive = (message: JSONRPCMessage, bytes: number) => {
    onTraffic(message, "in");
    const cancelled = cancelledId(message);
    if (cancelled !== undefined) cancel(cancelled, message);
    else if (requestId(message) === undefined) transport.onmessage?.(message);
    else if (backlog.length > 0 || !hasRoom()) backlog.add(message, bytes);
    else ask(message);
  };

  const receiveLines = (read: Line[]) => {
    for (const line of read) {
      const received = readInput(line);
      if (received && "message" in received) receive(received.message, received.bytes);
      else if (received) void tell(received.reply);
    }
  };

  const read = async () => {
    for await (const chunk of input) {
      if (!reading) return;
      receiveLines(lines.push(chunk));
      while (reading && isOverrun()) await Bun.sleep(recheckMilliseconds);
    }
    if (reading) receiveLines(lines.end());
  };

  const transport: StdioTransport = {
    ended: ended.promise,
    async start() {
      void read()
        .catch(onFailure)
        .then(() => ended.resolve("standard input ended"));
    },
    async send(message) {
      const number = answeredId(message) as number | undefined;
      await (number === undefined ? tell(message) : answer(number, message));
    },
    settle() {
      reading = false;
      settle();
      return settled.promise.then(outbox.drained);
    },
    async close() {
      transport.onclose?.();
    },
  };
  return transport;
}

function cancelledWriting(): QueuedWriting {
  return { ...failed(false, { code: "ECANCELED" }), cancel: () => false };
}

const takenElsewhere = new RelayError(
  "failed",
  "this page went to another reader, because this server stood still for too long. Ask again.",
);
