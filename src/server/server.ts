import "./zod.ts";
import {
  EmptyResultSchema,
  ErrorCode,
  type JSONRPCMessage,
  McpError,
} from "@modelcontextprotocol/sdk/types.js";
import type { Client } from "../core/client.ts";
import { systemClock } from "../core/clock.ts";
import { errorMessage } from "../core/errors.ts";
import { createRelay } from "../core/relay.ts";
import { systemNotifier } from "../notify/system-notifier.ts";
import type { Environment } from "../platform/environment.ts";
import { standardOutput } from "../platform/output.ts";
import { sqliteBuffer } from "../store/sqlite-store.ts";
import { createAnnouncing } from "./announcing.ts";
import { createDeliveries } from "./deliveries.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { watchIdle } from "./idle.ts";
import type { Outside } from "./lifecycle.ts";
import { createLog } from "./log.ts";
import { parentGone } from "./parent.ts";
import { requestId } from "./requests.ts";
import { Session } from "./session.ts";
import { traceTraffic } from "./trace.ts";
import { stdioTransport } from "./transport.ts";

// What requests that were read already may still take once the server is to end; and when what they claimed must be
// given back. With the end of the process that is 0.3 s. If the loop is late, because the machine is busy or the process
// stood still, giving back gets the difference all the same.
const graceMilliseconds = 220;
const endMilliseconds = 270;
const leastMilliseconds = endMilliseconds - graceMilliseconds;

/** How a server was asked to run. */
export interface ServeOptions {
  client: Client | undefined;
  debug: boolean;
  /** The sound that the client's notifications make, as in {@link Wish}. */
  sound: string;
  /** Seconds without a request before the client is pinged; 0 is never. */
  idleTimeout: number;
}

/** Serves MCP on standard input and output, and resolves when the server has nobody to serve any more. */
export async function serve(
  options: ServeOptions,
  environment: Environment,
  outside: Outside,
): Promise<void> {
  const log = createLog(standardOutput("stderr"));
  const failed = (error: unknown) => log(errorMessage(error));
  process.on("uncaughtException", failed).on("unhandledRejection", failed);

  const buffer = sqliteBuffer(environment.bufferPath, systemClock);
  const deliveries = createDeliveries(failed);
  const { claudeCode } = environment;
  const wish = { notify: notifyWish(environment, failed), sound: options.sound };
  const onBeat = createHeartbeat();
  let nobody = true; // is known to be served, so that `wish` is nobody's and this server's own
  const relay = createRelay({
    buffer,
    clock: systemClock,
    notifier: systemNotifier(environment.system),
    muted: () => nobody && !wish.notify,
    report: options.debug
      ? (outcome) => log(typeof outcome === "string" ? outcome : errorMessage(outcome))
      : undefined,
  });
  const announcing = createAnnouncing(relay.announcer, wish, onBeat);
  const session = new Session({
    relay,
    deliveries,
    surroundings: { claudeCode, flag: options.client },
    async onClient({ client }) {
      nobody = client === null;
      if (nobody && !wish.notify) return;
      await announcing(claudeCode.nested ? null : client);
    },
  });
  const timeout = options.idleTimeout > 0 ? options.idleTimeout * 1000 : Number.POSITIVE_INFINITY;
  const idle = watchIdle({ clock: systemClock, timeout, ping: (limit) => ping(session, limit) });
  const trace = options.debug ? traceTraffic(log) : () => {};
  const transport = stdioTransport({
    input: Bun.stdin.stream(),
    output: standardOutput("stdout"),
    deliveries,
    onTraffic(message: JSONRPCMessage, direction) {
      // relay's own pings are no sign of a client
      if (direction === "in" && requestId(message) !== undefined) idle.active();
      trace(message, direction);
    },
    onFailure: failed,
  });

  const reason = Promise.race([
    transport.ended,
    outside.signalled,
    parentGone(outside.parent, onBeat).then(() => "the parent process is gone"),
    idle.gone.then(() => "the client answers no more"),
  ]);
  await session.connect(transport);
  const why = await reason;
  const end = systemClock.elapsed() + endMilliseconds;
  if (options.debug) log(`ending: ${why}`);
  await Promise.race([transport.settle().then(relay.announcer.hurry), Bun.sleep(graceMilliseconds)]);
  relay.announcer.stop();
  await Promise.race([
    deliveries.withdrawAll(),
    Bun.sleep(Math.max(leastMilliseconds, end - systemClock.elapsed())),
  ]);
  buffer.close();
}

// A server that does not start for a word in its environment would cost the person all of relay.
function notifyWish(environment: Environment, failed: (error: unknown) => void): boolean {
  try {
    return environment.notify();
  } catch (error) {
    failed(error);
    return false;
  }
}

async function ping(session: Session, timeout: number): Promise<boolean> {
  try {
    await session.request({ method: "ping" }, EmptyResultSchema, { timeout });
    return true;
  } catch (error) {
    // a client that refuses to be pinged is there all the same
    return (
      error instanceof McpError &&
      error.code !== ErrorCode.RequestTimeout &&
      error.code !== ErrorCode.ConnectionClosed
    );
  }
}
