import {
  CallToolRequestSchema,
  GetPromptRequestSchema,
  InitializeRequestSchema,
  type JSONRPCRequest,
  LATEST_PROTOCOL_VERSION,
  ListPromptsRequestSchema,
  ListToolsRequestSchema,
  PingRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { describe } from "../core/validate.ts";

// Whatever the session answers. To the SDK a request that does not fit its schema is a failure of the server's own.
const schemas = new Map(
  Object.entries({
    initialize: InitializeRequestSchema,
    ping: PingRequestSchema,
    "tools/list": ListToolsRequestSchema,
    "tools/call": CallToolRequestSchema,
    "prompts/list": ListPromptsRequestSchema,
    "prompts/get": GetPromptRequestSchema,
  }),
);

const words: Record<string, string> = {
  object: "an object",
  record: "an object",
  string: "a string",
  number: "a number",
  boolean: "true or false",
  array: "a list",
};

/** One sentence on the first thing that is wrong with a request's parameters; `null` if nothing is. */
export function wrongParams(request: JSONRPCRequest): string | null {
  const [issue] = schemas.get(request.method)?.safeParse(request).error?.issues ?? [];
  if (!issue) return null;
  const value = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)?.[key],
    request,
  );
  const wanted =
    (issue.code === "invalid_type" && words[issue.expected]) ||
    `as MCP ${LATEST_PROTOCOL_VERSION} describes it`;
  return `${pathOf(issue.path)} of ${request.method} is ${describe(value)}; it must be ${wanted}.`;
}

// Keys are the client's own words too.
function pathOf(keys: readonly PropertyKey[]): string {
  const steps = keys.map((key) =>
    /^[A-Za-z]\w{0,40}$/.test(String(key)) ? `.${String(key)}` : `[${describe(key)}]`,
  );
  return steps.join("").slice(1);
}
