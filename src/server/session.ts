import { Protocol } from "@modelcontextprotocol/sdk/shared/protocol.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  GetPromptRequestSchema,
  type Implementation,
  InitializeRequestSchema,
  type InitializeResult,
  LATEST_PROTOCOL_VERSION,
  ListPromptsRequestSchema,
  ListToolsRequestSchema,
  McpError,
  type RequestId,
  type ServerNotification,
  type ServerRequest,
  type ServerResult,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/sdk/types.js";
import { errorMessage } from "../core/errors.ts";
import { type Identity, identify, type Surroundings } from "../core/identity.ts";
import type { Relay } from "../core/relay.ts";
import { version } from "../core/version.ts";
import type { Deliveries } from "./deliveries.ts";
import { instructions } from "./instructions.ts";
import { getPrompt, promptDefinition } from "./prompt.ts";
import { clearTool } from "./tools/relay-clear.ts";
import { fetchTool } from "./tools/relay-fetch.ts";
import { sendTool } from "./tools/relay-send.ts";
import type { Call } from "./tools/tool.ts";

const tools = [sendTool, fetchTool, clearTool];

/** What the SDK tells of a request. */
interface Extra {
  requestId: RequestId;
  signal: AbortSignal;
}

/** What a session with one MCP client needs. */
export interface SessionOptions {
  relay: Relay;
  deliveries: Deliveries;
  surroundings: Omit<Surroundings, "clientInfo">;
  /** The client has introduced itself. It gets its answer when this resolves. */
  onClient(identity: Identity): Promise<void>;
}

/**
 * The MCP session of one client. The SDK's `Server` would add the validation of forms that relay never shows, and
 * 5 ms for it to every start; this is the layer below.
 */
export class Session extends Protocol<ServerRequest, ServerNotification, ServerResult> {
  readonly #options: SessionOptions;
  #clientInfo: Implementation | undefined;

  /** A session that is not yet connected to a transport. */
  constructor(options: SessionOptions) {
    super();
    this.#options = options;
    this.setRequestHandler(InitializeRequestSchema, async ({ params }) => {
      this.#clientInfo = params.clientInfo;
      await options.onClient(this.#identity);
      return initializeResult(params.protocolVersion);
    });
    this.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map((tool) => tool.definition) }));
    this.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
      this.#work(extra, (call) => callTool(params.name, params.arguments ?? {}, call)),
    );
    this.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: this.#prompts() }));
    this.setRequestHandler(GetPromptRequestSchema, ({ params }, extra) => {
      if (this.#prompts().some(({ name }) => name === params.name)) return this.#work(extra, getPrompt);
      throw new McpError(
        ErrorCode.InvalidParams,
        `there is no prompt ${JSON.stringify(params.name)}. List them first.`,
      );
    });
  }

  get #identity(): Identity {
    return identify({ ...this.#options.surroundings, clientInfo: this.#clientInfo });
  }

  // Claude Code has /get, which needs no tool and no question; two ways to the same thing would only confuse.
  #prompts() {
    return this.#identity.underClaudeCode ? [] : [promptDefinition];
  }

  async #work<T>({ requestId, signal }: Extra, work: (call: Call) => Promise<T>): Promise<T> {
    const { deliveries } = this.#options;
    deliveries.begun(requestId);
    try {
      return await work(this.#call({ requestId, signal }));
    } finally {
      deliveries.ended(requestId);
    }
  }

  #call({ requestId, signal }: Extra): Call {
    const { relay, deliveries } = this.#options;
    return {
      relay,
      identity: this.#identity,
      signal,
      inTurn: deliveries.inTurn,
      carry: (claim) => claim && deliveries.attach(requestId, claim),
    };
  }

  // All relay ever asks of a client is a ping, which needs no capability.
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
    serverInfo: { name: "relay", title: "Relay", version },
    instructions,
  };
}

async function callTool(name: string, args: Record<string, unknown>, call: Call): Promise<CallToolResult> {
  const tool = tools.find(({ definition }) => definition.name === name);
  if (!tool)
    throw new McpError(ErrorCode.InvalidParams, `there is no tool ${JSON.stringify(name)}. List them first.`);
  try {
    return await tool.call(args, call);
  } catch (error) {
    return { content: [{ type: "text", text: `relay: ${errorMessage(error)}` }], isError: true };
  }
}
