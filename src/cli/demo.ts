import { mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Client, clientTitle, otherClient } from "../core/client.ts";
import { errorMessage, RelayError } from "../core/errors.ts";
import { printableJson } from "../core/escape.ts";
import { version } from "../core/version.ts";
import { cleanEnvironment, temporaryFolder } from "../platform/environment.ts";
import { defineCommand } from "./command.ts";
import { type Step, storyOf } from "./demo-story.ts";
import { unlessInterrupted } from "./interrupt.ts";
import { McpClient } from "./mcp-client.ts";

const conversation: { from: Client; text: string }[] = [
  { from: "desktop", text: "Plan: read the configuration once, at start-up. Please build it and tell me what broke." },
  {
    from: "code",
    text: "Built. One test relied on reading it twice; I changed the test. Shall I open the pull request?",
  },
];

// a square of eight pixels a side
const sketch = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGO4WR6OFTEMLQkAcq9pwYW/CuAAAAAASUVORK5CYII=";

export const command = defineCommand({
  meta: { name: "demo", description: "Show relay at work, with two servers on a temporary buffer" },
  args: {
    fast: { type: "boolean", description: "Print the transcript at once, as without a terminal" },
    json: { type: "boolean", description: "Print the transcript as JSON" },
  },
  async run({ args, data: context }) {
    const { print, environment } = context;
    await inTemporaryFolder(async (folder) => {
      const buffer = join(folder, "buffer.db");
      const isStory = environment.terminal.stdout && !args.fast && !args.json;
      const transcript = await converse(buffer, isStory ? storyOf(buffer, context) : () => {});
      if (args.json) print(printableJson({ ok: true, transcript }));
      else print(isStory ? `\n${ending}` : renderTranscript(transcript));
    });
  },
});

/** Does `work` in a temporary folder, which is removed even if a signal ends the process. */
async function inTemporaryFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(realpathSync(temporaryFolder()), `relay-demo-${crypto.randomUUID()}`);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const workInside = () => {
    mkdirSync(folder, { mode: 0o700 });
    return work(folder);
  };
  try {
    await unlessInterrupted(workInside, remove);
  } finally {
    remove();
  }
}

const ending = "relay works: a message went each way, and each arrived once.";

/** Lets two servers exchange the messages, and calls `tell` after each step. Throws a `failed` error if one does not arrive. */
async function converse(buffer: string, tell: (step: Step) => void | Promise<void>): Promise<Step[]> {
  const [desktop, code] = await Promise.all([connectTo("desktop", buffer), connectTo("code", buffer)]);
  const sessions = { desktop, code };
  const transcript: Step[] = [];
  const step = async (client: Client, tool: Step["tool"], message: string, args: Record<string, unknown>) => {
    const answer = await sessions[client].callTool(tool, args);
    const done = { client, tool, message, answer };
    transcript.push(done);
    await tell(done);
    return answer;
  };
  try {
    const picture = join(buffer, "../sketch.png");
    writeFileSync(picture, Buffer.from(sketch, "base64"));
    for (const { from, text } of conversation) {
      await step(from, "relay_send", text, { message: text, ...(from === "desktop" && { files: [picture] }) });
      const page = await step(otherClient(from), "relay_fetch", text, {});
      if (page.includes(`\n${text}\n`)) continue;
      throw new RelayError("failed", `a message did not arrive. It should be: ${text}`);
    }
    return transcript;
  } finally {
    await Promise.all([desktop.close(), code.close()]);
  }
}

async function connectTo(client: Client, buffer: string): Promise<McpClient> {
  const folder = dirname(buffer);
  // inside Claude Code the demo must not look like a part of that session; without a home folder no server reads files
  const env = { HOME: folder, ...cleanEnvironment(), RELAY_DB: buffer, RELAY_NOTIFY: "off" };
  const clientInfo = { name: "relay-demo", version };
  try {
    return await McpClient.start({
      command: process.execPath,
      args: ["--client", client, "--allow-files", folder],
      env,
      clientInfo,
    });
  } catch (error) {
    const reason = errorMessage(error).replace(/\.$/, "");
    const message = `the server for ${clientTitle(client)} did not start: ${reason}`;
    throw new RelayError("failed", message, "Run: relay doctor");
  }
}

function renderTranscript(transcript: Step[]): string {
  const lines = transcript.flatMap(({ client, tool, message, answer }) => {
    const title = clientTitle(client).padEnd(8);
    if (tool === "relay_send") return [`${title}sends  ${message}`];
    return [`${title}gets   ${answer.split("\n", 1)[0]}`, `${" ".repeat(15)}${message}`];
  });
  return [...lines, ending].join("\n");
}
