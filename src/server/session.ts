import { Protocol } from "@modelcontextprotocol/sdk/shared/protocol.js";
import {
  type CallToolResult,
  EmptyResultSchema,
  ErrorCode,
  type InitializeResult,
  LATEST_PROTOCOL_VERSION,
  McpError,
  type RequestId,
  type ServerNotification,
  type ServerRequest,
  type ServerResult,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/sdk/types.js";
import { array, literal, object, string, unknown } from "zod";
import { errorMessage } from "../core/errors.ts";
import { type ClientSigns, type Identity, identify } from "../core/identity.ts";
import type { Relay } from "../core/relay.ts";
import { checkArguments } from "../core/validate.ts";
import { description, version } from "../core/version.ts";
import { instructions } from "./instructions.ts";
import type { PendingDeliveries } from "./pending.ts";
import { clearTool } from "./tools/relay-clear.ts";
import { fetchTool, getPrompt, getPromptDefinition } from "./tools/relay-fetch.ts";
import { sendTool } from "./tools/relay-send.ts";
import type { Call, SessionEnvironment } from "./tools/tool.ts";

// Only what relay uses: hand-made clients leave out the rest, or bend it.
const clientInfoSchema = object({ name: string(), version: string().catch("of an unknown version") });
const initializeSchema = object({
  method: literal("initialize"),
  params: object({
    protocolVersion: string().catch(LATEST_PROTOCOL_VERSION),
    clientInfo: clientInfoSchema.optional().catch(undefined),
    capabilities: object({ roots: unknown() }).partial().catch({}),
  }).catch({ protocolVersion: LATEST_PROTOCOL_VERSION, capabilities: {} }),
});
const rootsSchema = object({ roots: array(object({ uri: string() })) });

// A client answers at once. One that does not must not hold up a send for long.
const rootsMs = 5_000;

/** A request of this method. Parameters that relay does not use may have any type. */
function requestSchema<const Method extends string>(method: Method) {
  const params = object({ name: unknown(), arguments: unknown() }).partial();
  return object({ method: literal(method), params: params.catch({}) });
}

const tools = [sendTool, fetchTool, clearTool];

/** The parts that a session works with. */
export interface SessionOptions {
  relay: Relay;
  pending: PendingDeliveries;
  signs: Omit<ClientSigns, "clientInfo">;
  environment: SessionEnvironment;
  /** The folders from which the person lets this client's model send files. */
  allowedFolders: readonly string[];
  /** Gets the identity of a client that introduces itself. The client gets its answer when this resolves. */
  onClient(identity: Identity): Promise<void>;
}

/**
 * The MCP session of one client. It extends the layer below the SDK's `Server`, which validates forms that relay never
 * shows and adds 5 ms to every start.
 */
export class Session extends Protocol<ServerRequest, ServerNotification, ServerResult> {
  readonly #options: SessionOptions;
  #identity: Identity;
  #tellsRoots = false;

  /** A session that is not yet connected to a transport. */
  constructor(options: SessionOptions) {
    super();
    this.#options = options;
    this.#identity = identify({ ...options.signs, clientInfo: undefined });
    this.setRequestHandler(initializeSchema, async ({ params }) => {
      this.#identity = identify({ ...options.signs, clientInfo: params.clientInfo });
      this.#tellsRoots = Boolean(params.capabilities.roots);
      await options.onClient(this.#identity);
      return initializeResult(params.protocolVersion);
    });
    this.setRequestHandler(requestSchema("tools/list"), () => ({ tools: tools.map((tool) => tool.definition) }));
    this.setRequestHandler(requestSchema("tools/call"), ({ params }, extra) =>
      callTool(params.name, params.arguments, this.#call(extra)),
    );
    this.setRequestHandler(requestSchema("prompts/list"), () => ({ prompts: this.#prompts() }));
    this.setRequestHandler(requestSchema("prompts/get"), ({ params }, extra) => {
      if (this.#prompts().some(({ name }) => name === params.name)) return getPrompt(this.#call(extra));
      throw unknownName("prompt", params.name);
    });
  }

  /** Whether the client answers a ping within this many milliseconds. The transport takes any response for an answer. */
  ping(timeout: number): Promise<boolean> {
    const answer = this.request({ method: "ping" }, EmptyResultSchema, { timeout });
    return answer.then(
      () => true,
      () => false,
    );
  }

  // Claude Code has /get, which asks nothing; a prompt of the same name would confuse people.
  #prompts() {
    return this.#identity.underClaudeCode ? [] : [getPromptDefinition];
  }

  #call({ requestId, signal }: { requestId: RequestId; signal: AbortSignal }): Call {
    const { relay, pending, environment } = this.#options;
    const attach: Call["attach"] = (delivery) => pending.attach(requestId, delivery);
    const fileFolders = () => this.#fileFolders(signal);
    return { relay, identity: this.#identity, environment, signal, attach, fileFolders };
  }

  async #fileFolders(signal: AbortSignal): Promise<string[]> {
    const { allowedFolders, environment } = this.#options;
    const roots = this.#tellsRoots ? await this.#roots(signal) : null;
    return [...(roots ?? [environment.projectFolder ?? []].flat()), ...allowedFolders];
  }

  /** The folders that the client works in; `null` if it does not tell them. */
  async #roots(signal: AbortSignal): Promise<string[] | null> {
    const answer = this.request({ method: "roots/list" }, rootsSchema, { timeout: rootsMs, signal });
    const { roots } = await answer.catch(() => ({ roots: null }));
    signal.throwIfAborted();
    return roots?.flatMap(({ uri }) => pathOf(uri) ?? []) ?? null;
  }

  // relay asks for roots only where the client has them, and a ping needs no capability
  protected override assertCapabilityForMethod(): void {}
  protected override assertNotificationCapability(): void {}
  protected override assertRequestHandlerCapability(): void {}
  protected override assertTaskCapability(): void {}
  protected override assertTaskHandlerCapability(): void {}
}

function initializeResult(wanted: string): InitializeResult {
  return {
    protocolVersion: SUPPORTED_PROTOCOL_VERSIONS.includes(wanted) ? wanted : LATEST_PROTOCOL_VERSION,
    capabilities: { tools: {}, prompts: {} },
    serverInfo: { name: "relay", title: "Relay", version, description },
    instructions,
  };
}

async function callTool(name: unknown, args: unknown, call: Call): Promise<CallToolResult> {
  const tool = tools.find(({ definition }) => definition.name === name);
  if (!tool) throw unknownName("tool", name);
  try {
    return await tool.call(checkArguments(args), call);
  } catch (error) {
    return { content: [{ type: "text", text: `relay: ${errorMessage(error)}` }], isError: true };
  }
}

/** The path of a `file:` address; `null` of any other. */
function pathOf(uri: string): string | null {
  try {
    return Bun.fileURLToPath(uri);
  } catch {
    return null;
  }
}

function unknownName(kind: string, name: unknown): McpError {
  return new McpError(ErrorCode.InvalidParams, `there is no ${kind} ${JSON.stringify(name)}. List them first.`);
}
