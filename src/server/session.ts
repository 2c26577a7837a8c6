import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListToolsRequestSchema,
  McpError,
  type RequestId,
} from "@modelcontextprotocol/sdk/types.js";
import { sentence } from "../errors.ts";
import type { Identity, Surroundings } from "../relay/identity.ts";
import { identify } from "../relay/identity.ts";
import type { Relay } from "../relay/relay.ts";
import { version } from "../version.ts";
import type { Deliveries } from "./deliveries.ts";
import { instructions } from "./instructions.ts";
import { getPrompt, promptDefinition } from "./prompt.ts";
import { clearTool } from "./tools/clear.ts";
import { fetchTool } from "./tools/fetch.ts";
import { sendTool } from "./tools/send.ts";
import type { Call } from "./tools/tool.ts";

const tools = [sendTool, fetchTool, clearTool];

/** What a session with one MCP client needs. */
export interface SessionOptions {
  relay: Relay;
  deliveries: Deliveries;
  surroundings: Omit<Surroundings, "clientInfo">;
}

/** The MCP server of one client, not yet connected to a transport. */
export function createSession({ relay, deliveries, surroundings }: SessionOptions): Server {
  const server = new Server(
    { name: "relay", title: "Relay", version },
    { capabilities: { tools: {}, prompts: {} }, instructions },
  );
  const identity = (): Identity => identify({ ...surroundings, clientInfo: server.getClientVersion() });
  const callFor = ({ requestId, signal }: { requestId: RequestId; signal: AbortSignal }): Call => ({
    relay,
    identity: identity(),
    signal,
    carry: (claim) => claim && deliveries.attach(requestId, claim),
  });

  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map((tool) => tool.definition) }));

  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = tools.find((candidate) => candidate.definition.name === params.name);
    if (!tool)
      throw new McpError(
        ErrorCode.InvalidParams,
        `there is no tool ${JSON.stringify(params.name)}. List the tools.`,
      );
    try {
      return await tool.call(params.arguments ?? {}, callFor(extra));
    } catch (error) {
      return errorResult(error);
    }
  });

  // Claude Code has /get, which needs no tool and asks nobody; two ways to the same thing would only confuse.
  const prompts = () => (identity().underClaudeCode ? [] : [promptDefinition]);
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: prompts() }));

  server.setRequestHandler(GetPromptRequestSchema, async ({ params }, extra) => {
    if (!prompts().some((prompt) => prompt.name === params.name)) {
      throw new McpError(
        ErrorCode.InvalidParams,
        `there is no prompt ${JSON.stringify(params.name)} here. List the prompts.`,
      );
    }
    return getPrompt(callFor(extra));
  });

  return server;
}

function errorResult(error: unknown): CallToolResult {
  return { content: [{ type: "text", text: `relay: ${sentence(error)}` }], isError: true };
}
