import { refuse, type Tool, textResult } from "./tool.ts";

export const clearTool: Tool = {
  definition: {
    name: "relay_clear",
    title: "Delete all relay messages",
    description:
      "Delete every message of relay, read or not, for both Claudes, and the history. It cannot be undone. Only when the person asks for it. Answers JSON: how many were deleted, how many of them nobody had read, and how many of the history.",
    inputSchema: { type: "object", properties: {} },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    _meta: { "anthropic/requiresUserInteraction": true },
  },
  async call(_args, { relay, identity, environment, signal }) {
    refuse(identity);
    const { clearAll } = await import("../code-files.ts");
    const cleared = await clearAll(relay.store, identity.client ?? "unknown", environment.bufferPath(), signal);
    return textResult(JSON.stringify({ ok: true, ...cleared }));
  },
};
