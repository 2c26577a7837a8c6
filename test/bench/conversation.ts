import { readLines } from "../support/lines.ts";
import { relayBinary, type Sandbox } from "../support/sandbox.ts";
import { initialize } from "../support/server.ts";

/** A server spoken to by hand, one request at a time, with as little as possible of our own in between. */
export interface Conversation {
  pid: number;
  /** Sends a request and answers its result once the line is read. Throws if it is an error. */
  ask(request: { id: number } & Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Sends a notification. */
  tell(notification: Record<string, unknown>): void;
  /** Ends the process. */
  close(): Promise<void>;
}

/** Starts a server as one of the two Claudes does. It ends with the sandbox. */
export function startConversation(box: Sandbox, client: "desktop" | "code"): Conversation {
  const child = Bun.spawn([relayBinary, "--client", client], {
    env: box.env,
    cwd: box.home,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const close = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  box.defer(close);
  const lines = readLines(child.stdout);
  const tell = (message: Record<string, unknown>) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    child.stdin.flush();
  };
  return {
    pid: child.pid,
    tell,
    close,
    async ask(request) {
      tell(request);
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error("the server ended before it answered");
        const answer = JSON.parse(value);
        if (answer.id !== request.id) continue;
        if (answer.error || answer.result?.isError) throw new Error(value);
        return answer.result;
      }
    },
  };
}

/** A conversation after its handshake. */
export async function openConversation(box: Sandbox, client: "desktop" | "code"): Promise<Conversation> {
  const conversation = startConversation(box, client);
  await conversation.ask(initialize());
  conversation.tell({ method: "notifications/initialized" });
  return conversation;
}
