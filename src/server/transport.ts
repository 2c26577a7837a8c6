import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ErrorCode, type JSONRPCMessage, type RequestId } from "@modelcontextprotocol/sdk/types.js";
import { errorMessage, WriteFailed } from "../core/errors.ts";
import { readLines } from "../platform/input.ts";
import type { Output } from "../platform/output.ts";
import { cancelledId, errorAnswer, idOf, isResponse, parseMessage, requestId, resultOf } from "./json-rpc.ts";
import type { PendingDeliveries } from "./pending.ts";

/** The parts that a transport works with. */
export interface TransportOptions {
  input: ReadableStream<Uint8Array>;
  output: Output;
  pending: PendingDeliveries;
  /** Gets each message that was read or written. */
  onTraffic(message: JSONRPCMessage, direction: "in" | "out"): void;
  /** Gets errors that are in no answer. */
  onError(error: unknown): void;
}

const notMessage =
  'this is not a JSON-RPC message of MCP. Send one object a line, no batch, with "jsonrpc":"2.0", a method, and an id that is text or a whole number.';

/**
 * MCP over standard input and output. The SDK's own transport notices neither the end of its input nor a failed write
 * (facts.md), and relay's promises need both.
 */
export class StdioTransport implements Transport {
  onmessage?: NonNullable<Transport["onmessage"]>;
  onclose?: NonNullable<Transport["onclose"]>;
  readonly #options: TransportOptions;
  readonly #unanswered = new Set<RequestId>();
  readonly #ended = Promise.withResolvers<string>();
  readonly #settled = Promise.withResolvers<void>();
  #lastWrite: Promise<void> = Promise.resolve();
  #isSettling = false;

  /** A transport that does not read yet. */
  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** Resolves with the reason when input has ended or output was closed. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    void this.#read()
      .catch(this.#options.onError)
      .then(() => this.#ended.resolve("standard input ended"));
  }

  /** Writes a message, and settles the page that is attached to it. Never throws. */
  async send(message: JSONRPCMessage): Promise<void> {
    if ("method" in message || message.id === undefined) return this.#write(message).catch(this.#failed);
    const { id } = message;
    const { pending } = this.#options;
    let started = false;
    const write = (ready: () => Promise<void>) =>
      this.#write(message, async () => {
        await ready();
        started = true;
      });
    try {
      await pending.send(id, write);
    } catch (error) {
      // a request gets one answer at the most
      if (error instanceof WriteFailed || started || pending.isCancelled(id)) this.#failed(error);
      else await this.#write(errorAnswer(id, ErrorCode.InternalError, errorMessage(error))).catch(this.#failed);
    }
    this.#answered(id);
  }

  /** Takes no more requests, and resolves when each earlier one is answered. */
  settle(): Promise<void> {
    this.#isSettling = true;
    if (this.#unanswered.size === 0) this.#settled.resolve();
    return this.#settled.promise;
  }

  async close(): Promise<void> {
    this.onclose?.();
  }

  async #read(): Promise<void> {
    for await (const line of readLines(this.#options.input)) {
      if (this.#isSettling) return;
      if (line === null) this.#refuse(undefined, "the line is over 16 MB. Send shorter requests.");
      else if (line.trim() !== "") this.#receiveLine(line);
    }
  }

  #receiveLine(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      const sentence = "the line is not JSON. Send one JSON-RPC message a line.";
      return void this.#write(errorAnswer(undefined, ErrorCode.ParseError, sentence)).catch(this.#failed);
    }
    const id = idOf(value);
    if (isResponse(value)) {
      if (id !== undefined) this.#receive({ jsonrpc: "2.0", id, result: resultOf(value) });
      return;
    }
    const message = parseMessage(value);
    if (message) this.#receive(message);
    else this.#refuse(id, notMessage);
  }

  #receive(message: JSONRPCMessage): void {
    this.#options.onTraffic(message, "in");
    const request = requestId(message);
    if (request !== undefined) {
      this.#unanswered.add(request);
      this.#options.pending.begin(request);
    }
    const cancelled = cancelledId(message);
    if (cancelled !== undefined) {
      this.#options.pending.cancel(cancelled);
      this.#answered(cancelled); // the SDK drops its answer
    }
    this.onmessage?.(message);
  }

  #refuse(id: RequestId | undefined, sentence: string): void {
    void this.#write(errorAnswer(id, ErrorCode.InvalidRequest, sentence)).catch(this.#failed);
  }

  // After a failed write, nothing can complete half a line; so each write waits for the one before it.
  #write(message: JSONRPCMessage, ready = async () => {}): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
    const write = async () => {
      await ready();
      await this.#options.output(bytes);
      this.#options.onTraffic(message, "out");
    };
    const written = this.#lastWrite.then(write, ({ code }: WriteFailed) => {
      throw new WriteFailed(false, code);
    });
    this.#lastWrite = written.catch((error) => {
      if (error instanceof WriteFailed && !isCancellation(error)) throw error; // nothing else began a line
    });
    this.#lastWrite.catch(() => {}); // the caller gets the error
    return written;
  }

  readonly #failed = (error: unknown): void => {
    if (!(error instanceof WriteFailed)) this.#options.onError(error);
    else if (!isCancellation(error)) this.#ended.resolve(`standard output was closed (${error.code})`);
  };

  #answered(id: RequestId): void {
    this.#unanswered.delete(id);
    if (this.#isSettling && this.#unanswered.size === 0) this.#settled.resolve();
  }
}

function isCancellation(error: unknown): boolean {
  return error instanceof WriteFailed && error.code === "ECANCELED";
}
