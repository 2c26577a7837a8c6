import { ErrorCode, type JSONRPCMessage, type RequestId } from "@modelcontextprotocol/sdk/types.js";
import { WriteFailed } from "../descriptor.ts";
import { show } from "../relay/claim.ts";
import type { Deliveries } from "./deliveries.ts";
import { answeredId } from "./requests.ts";

/** What an outbox needs. */
export interface OutboxOptions {
  /** Resolves when every byte is taken. Throws {@link WriteFailed}. */
  write(bytes: Uint8Array): Promise<void>;
  deliveries: Deliveries;
  /** Hears of each message that was written. */
  onWritten(message: JSONRPCMessage): void;
  /** Output is gone: nothing can be written any more. */
  onBroken(): void;
  /** Hears of a claim that could not be settled. The buffer offers its messages again by itself. */
  onFailure(error: unknown): void;
}

/** Messages on their way out, one after the other, each whole. */
export interface Outbox {
  /** Resolves when the message is written, or will never be because nobody waits for it. */
  send(message: JSONRPCMessage): Promise<void>;
  /** Resolves when nothing is on its way. */
  drained(): Promise<void>;
  /** Bytes of the messages on their way. */
  readonly bytes: number;
}

/** An empty outbox. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { deliveries, write } = options;
  let last = Promise.resolve();
  let bytes = 0;
  let broken = false;

  const writeAnswer = async (id: RequestId, answer: Uint8Array) => {
    const claim = deliveries.find(id);
    const held = !claim || (await claim.hold());
    if (deliveries.isCancelled(id)) return false; // its claim was withdrawn then
    deliveries.take(id);
    if (held) {
      await show(
        claim,
        () => write(answer),
        () => deliveries.isCancelled(id),
      );
      if (claim) await deliveries.delivered(id, claim);
    } else {
      await claim.withdraw(false);
      await write(encode({ jsonrpc: "2.0", id, error: takenElsewhere }));
    }
    return true;
  };

  const writeMessage = async (message: JSONRPCMessage, encoded: Uint8Array) => {
    const id = answeredId(message);
    try {
      if (id === undefined) await write(encoded);
      else if (!(await writeAnswer(id, encoded))) return;
      options.onWritten(message);
    } catch (error) {
      if (!(error instanceof WriteFailed)) return options.onFailure(error);
      broken = true;
      options.onBroken();
    }
  };

  return {
    send(message) {
      const encoded = encode(message);
      bytes += encoded.length;
      last = last.then(async () => {
        if (!broken) await writeMessage(message, encoded);
        bytes -= encoded.length;
      });
      return last;
    },
    drained: () => last,
    get bytes() {
      return bytes;
    },
  };
}

const takenElsewhere = {
  code: ErrorCode.InternalError,
  message: "this page went to another reader, because this server stood still for too long. Ask again.",
};

function encode(message: JSONRPCMessage): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(message)}\n`);
}
