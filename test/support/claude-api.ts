/** A reply of the scripted model: words, or calls of tools. */
export interface Reply {
  text?: string;
  call?: { name: string; input: Record<string, unknown> } | { name: string; input: Record<string, unknown> }[];
  /** The reply waits for this. */
  after?: Promise<unknown>;
}

/** A block of a message, as far as the tests look at it. */
export interface Block {
  type: string;
  text?: string;
  content?: string | Block[];
}

/** A request for the model's next reply: all that it is shown. */
export interface Shown {
  messages: { role: string; content: string | Block[] }[];
  system?: unknown;
  tools: { name: string }[];
}

/** A stand-in for the Messages API on the loopback. */
export interface ClaudeApi {
  url: string;
  /** Every request for the model's words so far. */
  shown: Shown[];
  /** Everything that any request carried, model's words or not. */
  everything(): string;
}

/**
 * Starts one whose model says `replies` in their order, and then only "done", to a session that was prompted with
 * `prompt`; to any other, such as a Claude Code that the model started itself, it says "done" at once.
 */
export function startClaudeApi(prompt: string, replies: Reply[]): ClaudeApi & { stop(): void } {
  const shown: Shown[] = [];
  const bodies: string[] = [];
  let said = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 120,
    async fetch(request) {
      const path = new URL(request.url).pathname;
      if (request.method !== "POST") return Response.json({ data: [], has_more: false });
      const text = await request.text();
      bodies.push(text);
      if (path.endsWith("/count_tokens")) return Response.json({ input_tokens: Math.ceil(text.length / 4) });
      const body = JSON.parse(text);
      // titles and the like are asked for without tools, or in a fixed form
      if (!body.tools?.length || body.output_config?.format || body.max_tokens === 1) {
        return Response.json(message(body, [{ type: "text", text: sideText(body) }]));
      }
      shown.push(body);
      const mine = JSON.stringify(body.messages).includes(prompt);
      const reply = mine ? (replies[said++] ?? {}) : {};
      await reply.after;
      return body.stream ? stream(message(body, blocksOf(reply))) : Response.json(message(body, blocksOf(reply)));
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    shown,
    everything: () => bodies.join("\n"),
    stop: () => void server.stop(true),
  };
}

type Content = Record<string, unknown> & { type: string };

function blocksOf({ text, call }: Reply): Content[] {
  const calls = call ? [call].flat() : [];
  const words = text ?? (calls.length > 0 ? undefined : "done");
  return [
    ...(words === undefined ? [] : [{ type: "text", text: words }]),
    ...calls.map((each) => ({ type: "tool_use", id: `toolu_${crypto.randomUUID().slice(0, 18)}`, ...each })),
  ];
}

function message(body: { model: string }, content: Content[]) {
  return {
    id: `msg_${crypto.randomUUID()}`,
    type: "message",
    role: "assistant",
    model: body.model,
    content,
    stop_reason: content.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: {
      input_tokens: 10,
      output_tokens: 10,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
    },
  };
}

// Some side requests ask for a schema.
function sideText(body: { output_config?: { format?: { schema?: { properties?: object } } } }): string {
  const properties = body.output_config?.format?.schema?.properties;
  if (!properties) return "ok";
  return JSON.stringify(Object.fromEntries(Object.keys(properties).map((name) => [name, "ok"])));
}

function stream(whole: ReturnType<typeof message>): Response {
  const events: [string, object][] = [["message_start", { message: { ...whole, content: [], stop_reason: null } }]];
  for (const [index, block] of whole.content.entries()) {
    const isText = block.type === "text";
    const empty = isText ? { type: "text", text: "" } : { ...block, input: {} };
    const delta = isText
      ? { type: "text_delta", text: block.text }
      : { type: "input_json_delta", partial_json: JSON.stringify(block.input) };
    events.push(
      ["content_block_start", { index, content_block: empty }],
      ["content_block_delta", { index, delta }],
      ["content_block_stop", { index }],
    );
  }
  const { stop_reason, usage } = whole;
  events.push(["message_delta", { delta: { stop_reason, stop_sequence: null }, usage }], ["message_stop", {}]);
  const text = events.map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`).join("");
  return new Response(text, { headers: { "content-type": "text/event-stream" } });
}
