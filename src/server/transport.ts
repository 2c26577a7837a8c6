import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";
import type { Deliveries } from "./deliveries.ts";
import { type Line, lineReader } from "./lines.ts";
import { createOutbox, type OutboxOptions } from "./outbox.ts";
import { answeredId, cancelledId, readInput, requestId } from "./requests.ts";

// A client that asks and never reads its answers is not listened to beyond this.
const unreadBytes = 8 * 1024 * 1024;

/** Where a transport reads and writes, and who hears of it. */
export interface TransportOptions extends Pick<OutboxOptions, "write" | "onFailure"> {
  input: ReadableStream<Uint8Array>;
  deliveries: Deliveries;
  /** Hears of each message that was read or written. */
  onTraffic(message: JSONRPCMessage): void;
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
export function stdioTransport({
  input,
  deliveries,
  onTraffic,
  ...options
}: TransportOptions): StdioTransport {
  const lines = lineReader();
  const ended = Promise.withResolvers<string>();
  const settled = Promise.withResolvers<void>();
  const unanswered = new Set<RequestId>();
  let reading = true;

  const answered = (id: RequestId | undefined) => {
    if (id !== undefined) unanswered.delete(id);
    if (!reading && unanswered.size === 0) settled.resolve();
  };

  const outbox = createOutbox({
    ...options,
    deliveries,
    onWritten: onTraffic,
    onBroken: () => ended.resolve("standard output was closed"),
  });

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
    onTraffic(message);
    transport.onmessage?.(message);
  };

  const receiveLines = (read: Line[]) => {
    for (const line of read) {
      const received = readInput(line);
      if (received && "message" in received) receive(received.message);
      else if (received) void outbox.send(received.reply);
    }
  };

  const read = async () => {
    for await (const chunk of input) {
      if (!reading) return;
      receiveLines(lines.push(chunk));
      if (outbox.bytes > unreadBytes) await outbox.drained();
    }
    if (reading) receiveLines(lines.end());
  };

  const transport: StdioTransport = {
    ended: ended.promise,
    async start() {
      void read()
        .catch(options.onFailure)
        .then(() => ended.resolve("standard input ended"));
    },
    async send(message) {
      await outbox.send(message);
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
