import type { NewAttachment } from "../../core/attachment.ts";
import { describeUnseen } from "../../core/project.ts";
import { checkFiles, checkId, checkMessage, checkProject, checkSender } from "../../core/validate.ts";
import { type Call, type Tool, textResult } from "./tool.ts";

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
        files: {
          type: "array",
          items: { type: "string" },
          description: "Paths of files to send along: 8, of 8 MB each.",
        },
        project: {
          type: "string",
          description:
            "To Code only: the project it is for. Give it if the person or the conversation names one, or copy it from the message you answer.",
        },
        reply_to: { type: "integer", description: "The id of the message that this one answers." },
        sender: { type: "string", enum: ["desktop", "code"], description: "Who you are. Usually known; leave it out." },
      },
      required: ["message"],
    },
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    _meta: { "anthropic/alwaysLoad": true },
  },
  async call(args, call) {
    const { relay, identity, environment, signal } = call;
    const sender = checkSender(args.sender, identity.client);
    const message = checkMessage(args.message);
    const project = sender === "code" ? environment.project : checkProject(args.project);
    const reply_to = checkId("reply_to", args.reply_to);
    const files = await filesAt(checkFiles(args.files), call);
    const receipt = await relay.send({ sender, message, project, reply_to, files }, signal);
    const note = receipt.seen_projects && { note: describeUnseen(receipt.project ?? "", receipt.seen_projects) };
    return textResult(JSON.stringify({ ...receipt, ...note }));
  },
};

async function filesAt(paths: readonly string[], { fileFolders, environment }: Call): Promise<NewAttachment[]> {
  if (paths.length === 0) return [];
  const [folders, { modelRules, readFiles }] = await Promise.all([
    fileFolders(),
    import("../../platform/outgoing-files.ts"),
  ]);
  const rules = modelRules(folders, environment);
  return readFiles(paths, rules.folders, rules);
}
