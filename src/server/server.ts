import "./zod.ts";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import type { Client } from "../core/client.ts";
import { systemClock } from "../core/clock.ts";
import { errorMessage } from "../core/errors.ts";
import type { ClaudeCodeSigns, Identity } from "../core/identity.ts";
import { Notifications } from "../core/notifications.ts";
import { Relay } from "../core/relay.ts";
import { isDefaultPreference, type NotificationPreference } from "../core/store.ts";
import { systemNotifier } from "../notify/system-notifier.ts";
import type { Environment } from "../platform/environment.ts";
import { standardOutput } from "../platform/output.ts";
import { madeStreams } from "../platform/parent-process.ts";
import { isRunning } from "../platform/process.ts";
import { isDemoBuffer } from "../store/file.ts";
import { openStore } from "../store/open-store.ts";
import { requestId } from "./json-rpc.ts";
import { createHeartbeat, type EndCauses, type Heartbeat, parentGone, watchIdle } from "./lifecycle.ts";
import { PendingDeliveries } from "./pending.ts";
import { Session } from "./session.ts";
import { createLog, type Log, traceTraffic } from "./trace.ts";
import { StdioTransport } from "./transport.ts";

// At its end a server gives open requests this time, and then the pages that go back. The process ends within 0.3 s.
const settleMs = 200;
const releaseMs = 60;

// The longest delay of a client's first answer until its preference is stored.
const preferenceMs = 250;

/** Options of a server. */
export interface ServeOptions {
  client: Client | undefined;
  debug: boolean;
  /** The sound of the client's notifications, as in {@link NotificationPreference}. */
  sound: string;
  /** The folders from which the client's model may send files, besides its own roots. */
  allowedFolders: readonly string[];
  /** Seconds without a request before the client is pinged; 0 is never. */
  idleTimeout: number;
}

/** Serves MCP on standard input and output, and resolves when the client is gone. */
export async function serve(options: ServeOptions, environment: Environment, endCauses: EndCauses): Promise<void> {
  const log = createLog(standardOutput("stderr"));
  const logError = (error: unknown) => log(errorMessage(error));
  process.on("uncaughtException", logError).on("unhandledRejection", logError);

  const preference = { notify: notifyPreference(environment, logError), sound: options.sound };
  const onBeat = createHeartbeat();
  const pending = new PendingDeliveries(logError);
  let served: Client | null = null;
  const relay = openRelay(environment, options.debug ? log : null, () => !served && !preference.notify);
  const session = new Session({
    relay,
    pending,
    signs: { claudeCode: claudeCodeSigns(environment), flag: options.client, isSpawned: await isSpawned(environment) },
    environment,
    allowedFolders: options.allowedFolders,
    async onClient(identity) {
      served = identity.client;
      await startAnnouncing(relay, identity, options.client, preference, onBeat);
    },
  });
  const timeout = options.idleTimeout > 0 ? options.idleTimeout * 1000 : Number.POSITIVE_INFINITY;
  const idle = watchIdle({ clock: systemClock, timeout, ping: (limit) => session.ping(limit) });
  const trace = options.debug ? traceTraffic(log) : () => {};
  const transport = new StdioTransport({
    input: Bun.stdin.stream(),
    output: standardOutput("stdout"),
    pending,
    onTraffic(message: JSONRPCMessage, direction) {
      if (direction === "in" && requestId(message) !== undefined) idle.active();
      trace(message, direction);
    },
    onError: logError,
  });

  await session.connect(transport);
  const reason = await Promise.race([
    transport.ended,
    endCauses.signalled,
    parentGone(endCauses.parent, isRunning, onBeat).then(() => "the parent process is gone"),
    idle.gone.then(() => "the client answers no more"),
  ]);
  if (options.debug) log(`ending: ${reason}`);
  await end(relay, transport, pending);
}

/** The signs around this server. A demo's servers also deliver below Claude Code: their buffer is never the person's own. */
function claudeCodeSigns({ claudeCode, bufferPath }: Environment): ClaudeCodeSigns {
  try {
    return isDemoBuffer(bufferPath()) ? { ...claudeCode, ancestors: [] } : claudeCode;
  } catch {
    return claudeCode; // every call reports it
  }
}

/**
 * Whether a Claude Code that is the parent made this process's standard input and output. A program could pass on its own
 * input, and rewrite the output, with the mark that the person has to be asked.
 */
async function isSpawned({ claudeCode }: Environment): Promise<boolean> {
  const parent = claudeCode.ancestors?.[0];
  return !parent?.isClaudeCode || (await madeStreams(parent.pid, 0, 1));
}

function openRelay(environment: Environment, debug: Log | null, muted: () => boolean): Relay {
  const store = openStore({
    locate: environment.bufferPath,
    database: environment.database,
    clock: systemClock,
    isRunning,
    server: process.pid,
    project: environment.project,
    historyDays: environment.historyDays,
  });
  const notifications = new Notifications({
    store,
    clock: systemClock,
    notifier: systemNotifier(environment.system),
    muted,
    onOutcome: ({ count, reader, failure }) => debug?.(`announcing ${count} to ${reader}: ${failure ?? "done"}`),
    onError: (error) => debug?.(errorMessage(error)),
  });
  return new Relay(store, notifications, systemClock);
}

/** Stores the client's preference, and looks for unannounced messages from now on. */
async function startAnnouncing(
  { store, notifications }: Relay,
  { client, refusal }: Identity,
  flag: Client | undefined,
  preference: NotificationPreference,
  onBeat: Heartbeat,
): Promise<void> {
  if (!client && !preference.notify) return;
  const start = async () => {
    // Desktop's Code tab also starts the server of Desktop's configuration, whose sound is not Code's (facts.md)
    if (client && !refusal && (flag ?? client) === client) await notifications.prefer(client, preference);
    store.watch?.(() => void notifications.look());
    await notifications.look();
    onBeat(() => void notifications.look());
  };
  if (isDefaultPreference(preference)) setImmediate(() => void start());
  else await Promise.race([start(), Bun.sleep(preferenceMs)]);
}

async function end(relay: Relay, transport: StdioTransport, pending: PendingDeliveries): Promise<void> {
  const finish = async () => {
    await transport.settle();
    await relay.notifications.look({ final: true });
    await relay.notifications.finish();
  };
  await Promise.race([finish(), Bun.sleep(settleMs)]);
  relay.notifications.stop();
  await Promise.race([pending.releaseAll(), Bun.sleep(releaseMs)]);
  relay.store.close();
}

// A wrong word in the environment must not cost the person all of relay.
function notifyPreference(environment: Environment, logError: (error: unknown) => void): boolean {
  try {
    return environment.notify();
  } catch (error) {
    logError(error);
    return false;
  }
}
