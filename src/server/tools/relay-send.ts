import { checkMessage, checkSender } from "../../core/validate.ts";
import { type Tool, textResult } from "./tool.ts";

export const sendTool: Tool = {
  definition: {
    name: "relay_send",
    title: "Send to the other Claude",
    description:
      'Send a message to the other Claude: from Claude Desktop to Claude Code, or back. Use it when the person says "ask Desktop", "tell Code" or "send this to Code", or by yourself when you need the other side. It sees nothing of this conversation, so write what stands alone. The person is notified there and brings any answer: never poll or wait for one. Answers JSON: id, how many messages wait there, and which were evicted to make room.',
    inputSchema: {
      type: "object",
      properties: {
        message: { type: "string", description: "The text, at most 64 KB (65,536 bytes of UTF-8)." },
        sender: { type: "string", enum: ["desktop", "code"], description: "Who you are. Usually known; leave it out." },
      },
      required: ["message"],
    },
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    _meta: { "anthropic/alwaysLoad": true },
  },
  async call(args, { relay, identity, signal }) {
    const sender = checkSender(args.sender, identity.client);
    const message = checkMessage(args.message);
    return textResult(JSON.stringify(await relay.send({ sender, message }, signal)));
  },
};
