import type { GetPromptResult, ImageContent, Prompt, TextContent } from "@modelcontextprotocol/sdk/types.js";
import type { Client } from "../../core/client.ts";
import { randomNonce } from "../../core/frames.ts";
import type { Origin, Page, PageRequest } from "../../core/leased-page.ts";
import { pageBytes } from "../../core/limits.ts";
import { renderLatest, renderPage } from "../../core/page.ts";
import { renderFitting, type ShownFiles } from "../../core/shown-file.ts";
import { checkClient, checkFlag, checkLimit, checkProject } from "../../core/validate.ts";
import { type Call, refuse, type Tool, textContent } from "./tool.ts";

type Content = TextContent | ImageContent;

export const fetchTool: Tool = {
  definition: {
    name: "relay_fetch",
    title: "Get messages from the other Claude",
    description:
      'Get the messages that wait from the other Claude, oldest first, and mark them as read. Only the person pulls: call it once when the person asks, as with "get" alone, "check the relay" or "what did Desktop say?"; never on your own account, and never to wait for an answer. Each message stands between marked lines; the first line says how many more wait.',
    inputSchema: {
      type: "object",
      properties: {
        limit: { type: "integer", description: "How many at most, 1 to 20; 5 if left out." },
        project: { type: "string", description: 'In Code: "*" also brings what is for other projects.' },
        reader: { type: "string", enum: ["desktop", "code"], description: "Who you are. Usually known; leave it out." },
        unread_only: { type: "boolean", description: "false also shows messages read before. Default true." },
      },
    },
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    _meta: {
      "anthropic/alwaysLoad": true,
      "anthropic/requiresUserInteraction": true,
      // Claude Code allows no more. 64 KB of control characters take six characters each, and there are twenty frames.
      "anthropic/maxResultSizeChars": 500_000,
    },
  },
  async call(args, call) {
    return { content: await fetchPage(args, originOf(call), call) };
  },
};

/** The prompt `get`, as a client's menu shows it. */
export const getPromptDefinition: Prompt = {
  name: "get",
  title: "Get messages",
  description: "Brings the messages that wait from the other Claude into this conversation.",
};

/** Puts a page into the conversation as the person's own words. Throws a RelayError. */
export async function getPrompt(call: Call): Promise<GetPromptResult> {
  const page = await fetchPage({}, "prompt", call);
  return { messages: page.map((content) => ({ role: "user", content })) };
}

function originOf({ identity, environment }: Call): Origin {
  if (!identity.underClaudeCode) return "tool";
  return environment.isHosted ? "hosted tool" : "approved tool";
}

/** Leases a page, attaches it to the answer, and renders it. */
async function fetchPage(args: Record<string, unknown>, origin: Origin, call: Call): Promise<Content[]> {
  const { relay, identity, environment, signal, attach } = call;
  refuse(identity);
  const limit = checkLimit(args.limit);
  const includeRead = !checkFlag("unread_only", args.unread_only, true);
  const reader = checkClient("reader", args.reader, identity.client);
  if (!reader) return [textContent(renderLatest(await relay.store.latest(limit), origin, randomNonce))];
  const { project } = environment;
  const everyProject = checkProject(args.project) === "*";
  const request: PageRequest = { reader, limit, includeRead, everyProject, size: "tool", origin, project };
  const { page, delivery } = await relay.fetch(request, signal);
  if (delivery) attach(delivery);
  return render(page, reader, origin, call);
}

/** The page with its files: for Code on the disk, for Desktop in the answer. */
async function render(page: Page, reader: Client, origin: Origin, call: Call): Promise<Content[]> {
  const { relay, environment, signal } = call;
  const text = (files?: ShownFiles) => renderPage(page, reader, origin, randomNonce, { files });
  if (page.messages.every(({ files }) => files.length === 0)) return [textContent(text())];
  try {
    if (reader === "code") {
      const { filesForCode } = await import("../code-files.ts");
      const files = await filesForCode(page.messages, relay.store, environment);
      return [textContent(renderFitting(files, pageBytes, text))];
    }
    const { filesForDesktop, showPictures } = await import("../desktop-files.ts");
    const { files, pictures } = await filesForDesktop(page.messages, relay.store);
    const shown = text(files);
    return [textContent(shown), ...(await showPictures(pictures, shown, signal))];
  } catch {
    return [textContent(text())]; // which names the files
  }
}
