import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";
import { RelayError } from "../errors.ts";
import { type Output, WriteFailed } from "../output.ts";
import type { Deliveries } from "./deliveries.ts";
import { type Line, lineReader } from "./lines.ts";
import { createOutbox } from "./outbox.ts";
import {
  answeredId,
  cancelledId,
  encode,
  internalError,
  invalidParams,
  readInput,
  requestId,
} from "./requests.ts";

// A client that asks and never reads its answers is not listened to beyond this, until it does.
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
  const ended = Promise.withResolvers<string>();
  const settled = Promise.withResolvers<void>();
  const unanswered = new Set<RequestId>();
  let reading = true;

  const answered = (id: RequestId | undefined) => {
    if (id !== undefined) unanswered.delete(id);
    if (!reading && unanswered.size === 0) settled.resolve();
  };

  const write = async (message: JSONRPCMessage) => {
    const id = answeredId(message);
    let begun = false;
    const begin = (text: JSONRPCMessage) => {
      begun = true;
      return outbox.begin(encode(text));
    };
    try {
      if (id === undefined) await begin(message).finished;
      else if ((await deliveries.deliver(id, () => begin(message))) === "taken") throw takenElsewhere;
      onTraffic(message, "out");
    } catch (error) {
      if (error instanceof WriteFailed) {
        if (error.code !== "ECANCELED") ended.resolve(`standard output was closed (${error.code})`);
      } else if (begun || id === undefined) onFailure(error);
      else await begin(internalError(id, error)).finished.catch(onFailure);
    }
  };

  const receive = (message: JSONRPCMessage) => {
    const id = requestId(message);
    if (id !== undefined) {
      unanswered.add(id);
      deliveries.received(id);
    }
    const cancelled = cancelledId(message);
    if (cancelled !== undefined) {
      deliveries.cancelled(cancelled);
      answered(cancelled);
    }
    onTraffic(message, "in");
    const refusal = invalidParams(message);
    if (refusal) void transport.send(refusal);
    else transport.onmessage?.(message);
  };

  const receiveLines = (read: Line[]) => {
    for (const line of read) {
      const received = readInput(line);
      if (received && "message" in received) receive(received.message);
      else if (received) void write(received.reply);
    }
  };

  const read = async () => {
    for await (const chunk of input) {
      if (!reading) return;
      receiveLines(lines.push(chunk));
      while (outbox.bytes > mostBytes || unanswered.size > mostRequests) await Bun.sleep(recheckMilliseconds);
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
      await write(message);
      answered(answeredId(message));
    },
    settle() {
      reading = false;
      answered(undefined);
      return settled.promise.then(outbox.drained);
    },
    async close() {
      transport.onclose?.();
    },
  };
  return transport;
}

const takenElsewhere = new RelayError(
  "failed",
  "this page went to another reader, because this server stood still for too long. Ask again.",
);
