import { errorMessage } from "../core/errors.ts";
import { makeVisible } from "../core/escape.ts";
import { personSession } from "../core/identity.ts";
import { describeOthers, splitWaiting } from "../core/project.ts";
import { plural } from "../core/words.ts";
import { startOf } from "../platform/ancestors.ts";
import { readInput } from "../platform/input.ts";
import { isSpawnedBy } from "../platform/parent-process.ts";
import { fileOfOtherServer } from "../setup/project-server.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { nameToType, ownCommand } from "./own-commands.ts";
import { answer, answerGet, answerSend } from "./typed-words.ts";

// The latest prompts of a long session are in its last part.
const transcriptBytes = 1024 * 1024;

/** Prints nothing and ends with 0 after an error: the person waits, and Claude Code obeys some exit codes of hooks. */
export const command = defineCommand({
  meta: { name: "hook", description: "Answer a hook event on standard input (called by Claude Code)" },
  hidden: true,
  args: {
    event: {
      type: "positional",
      required: false,
      suggestions: ["user-prompt-expansion", "session-start", "pre-tool-use"],
      description: "Which event",
    },
  },
  async run({ args, data: context }) {
    const { claudeCode, pluginFolder } = context.environment;
    try {
      // other programs run Claude Code's hooks, too
      if (args.event === "pre-tool-use" && pluginFolder) await guardBuffer(context);
      if (!claudeCode.session) return;
      if (args.event === "user-prompt-expansion") await obeyTyped(context);
      if (args.event === "session-start") await reportWaiting(context);
    } catch {} // see above
  },
});

// A ticket proves that a person typed the command, so each sign of that has to be there (facts.md, "/get, tickets, hooks").
async function obeyTyped(context: Context): Promise<void> {
  const { environment, quickStore, print } = context;
  const { claudeCode } = environment;
  const session = claudeCode.attended ? personSession(claudeCode) : null; // which looks at the processes above
  if (!session) return;
  const event = parseObject(readInput());
  const { hook_event_name, expansion_type, session_id, command_args = "" } = event;
  if (hook_event_name !== "UserPromptExpansion" || session_id !== session.id) return;
  const kind = expansion_type === "slash_command" ? ownCommand(event, environment) : null;
  if (!kind || typeof command_args !== "string") return void (await quickStore().issueTicket(session, null));
  const isFromClaudeCode = () => isSpawnedBy(session.process);
  if (event.agent_type !== undefined && !(await hasEarlierPrompt(event, session.process))) print(mayBeInitialPrompt);
  else if (kind === "get")
    await answerGet(command_args, session, isFromClaudeCode, context).catch((error) =>
      print(answer(makeVisible(errorMessage(error)).text)),
    );
  else if (await isFromClaudeCode()) await answerSend(command_args, context);
}

const mayBeInitialPrompt = answer(
  "an agent's first prompt may be its file's and not yours, so relay does nothing with it. If you typed it, type it once more.",
);

// An agent's `initialPrompt` is the first prompt of a process, also of one that continues a session (facts.md).
async function hasEarlierPrompt({ transcript_path: path }: Record<string, unknown>, process: number): Promise<boolean> {
  if (typeof path !== "string") return false;
  const started = startOf(process) ?? 0;
  const file = Bun.file(path);
  const text = await file
    .slice(Math.max(0, file.size - transcriptBytes))
    .text()
    .catch(() => "");
  return text.split("\n").some((line) => isPromptSince(line, started));
}

// A prompt that was blocked counts, too.
function isPromptSince(line: string, started: number): boolean {
  if (!/^\{.*(?:"type":"user",|"content":"UserPromptExpansion operation blocked)/.test(line)) return false;
  try {
    const { timestamp, isMeta } = parseObject(line);
    return isMeta !== true && Date.parse(String(timestamp)) >= started;
  } catch {
    return false; // only a part of the line was read
  }
}

async function reportWaiting(context: Context): Promise<void> {
  const settled = await Promise.allSettled([otherServer(context), waiting(context)]);
  const reports = settled.flatMap((result) => (result.status === "fulfilled" && result.value) || []);
  if (reports.length > 0) context.print(JSON.stringify({ systemMessage: reports.join("\n") }));
}

/** What the person has to know of a project's server that answers the model in place of relay. */
async function otherServer({ environment }: Context): Promise<string | null> {
  const { cwd } = parseObject(readInput());
  if (typeof cwd !== "string") return null;
  const own = { program: process.execPath, buffer: environment.bufferPath(), find: environment.system().find };
  const path = fileOfOtherServer(cwd, environment.places().claudeConfig, own);
  return (
    path &&
    `relay: another server called relay, in ${makeVisible(path).text}, takes the place of yours here if you allow it, and gets what the model sends.`
  );
}

async function waiting({ environment, quickStore }: Context): Promise<string | null> {
  const { unread, projects } = await quickStore().counts();
  if (unread.code === 0) return null;
  const { own, others } = splitWaiting(unread.code, projects, environment.project);
  const news = [...(own > 0 ? [`${plural(own, "message")} from Desktop`] : []), describeOthers(others)];
  const name = nameToType("get", environment);
  const words = own > 0 ? name : `${name} all`;
  const advice = name ? `Type /${words} to read ${unread.code === 1 ? "it" : "them"}.` : "Say get.";
  return `relay: ${news.filter(Boolean).join(", ")}. ${advice}`;
}

/** Refuses tool calls that name the buffer. For the plugin, which cannot bring the deny rule that setup adds. */
async function guardBuffer({ environment, print }: Context): Promise<void> {
  const { tool_input = null } = parseObject(readInput());
  const input = JSON.stringify(tool_input);
  const names = (path: string) => input.includes(JSON.stringify(path).slice(1, -1));
  if (!names(".relay_buffer.db") && !names(".relay_url") && !names(environment.bufferPath())) return;
  const hookSpecificOutput = {
    hookEventName: "PreToolUse",
    permissionDecision: "deny",
    permissionDecisionReason:
      "relay's file of messages is not for models: only the person pulls. Ask the person to type /get.",
  };
  print(JSON.stringify({ hookSpecificOutput }));
}

/** The properties of a JSON value; none of a value that is no object, or of no text. */
function parseObject(text: string | null): Record<string, unknown> {
  return Object(JSON.parse(text ?? "{}"));
}
