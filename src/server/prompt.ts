import type { GetPromptResult, Prompt } from "@modelcontextprotocol/sdk/types.js";
import { fetchPage } from "./fetch-page.ts";
import type { Call } from "./tools/tool.ts";

/** The prompt `get` as people see it in their client's menu. */
export const promptDefinition: Prompt = {
  name: "get",
  title: "Get messages",
  description: "Brings the messages that wait from the other Claude into this conversation.",
};

/** Puts a page into the conversation as the person's own words. Throws a RelayError. */
export async function getPrompt(call: Call): Promise<GetPromptResult> {
  const text = await fetchPage({}, "prompt", call);
  return { messages: [{ role: "user", content: { type: "text", text } }] };
}
