import { type Client, otherClient } from "../core/client.ts";
import { RelayError } from "../core/errors.ts";
import { makeVisible, printableJson } from "../core/escape.ts";
import { isInsideClaudeCode, isPersonAtTerminal, refuseInsideClaudeCode } from "../core/identity.ts";
import type { Relay } from "../core/relay.ts";
import { checkId, checkMessage, checkProject } from "../core/validate.ts";
import { isFile } from "../platform/files.ts";
import { inputSource, readAll, readStarted } from "../platform/input.ts";
import { shellWord } from "../setup/shell-words.ts";
import { ask } from "./ask.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { unlessInterrupted } from "./interrupt.ts";
import { slashCommand } from "./own-commands.ts";
import { renderReceipt } from "./render.ts";

// Far more than a message may have. A stream may be endless.
const inputBytes = 16 * 1024 * 1024;

// cron, `ssh` without a terminal and test harnesses leave a pipe open into which nobody writes.
const inputMilliseconds = 2_000;

export const command = defineCommand({
  meta: { name: "send", description: "Send a message to one of the two Claudes" },
  args: {
    to: { type: "enum", alias: "t", options: ["desktop", "code"], description: "The recipient" },
    text: {
      type: "positional",
      required: false,
      description: "The message, in one word or more; what is piped in follows it. - waits for a slow pipe",
    },
    project: { type: "string", valueHint: "NAME", description: "The project that it is for, or from" },
    "reply-to": { type: "string", valueHint: "ID", description: "The message that it answers" },
    json: { type: "boolean", description: "Print the receipt as JSON" },
  },
  takesRest: true,
  async run({ args, rest, data: context }) {
    const to = recipient(args.to, context);
    const { text, added } = await readMessage(args.text === undefined ? [] : [args.text, ...rest], to, context);
    const message = checkMessage(text);
    const relay = context.relay();
    const typed_in = isPersonAtTerminal(context.environment) ? "terminal" : null;
    const project = checkProject(args.project) ?? (to === "desktop" ? context.environment.project : null);
    const reply_to = checkId("--reply-to", args["reply-to"]);
    const receipt = await relay.send({ sender: otherClient(to), message, typed_in, project, reply_to });
    const shown = args.json ? printableJson(receipt) : renderReceipt(receipt, to, context.environment, added);
    await printReceipt(shown, relay, context);
  },
});

/** Prints the receipt of a send, and ends after the notification of its message. */
export async function printReceipt(receipt: string, { notifications }: Relay, { print }: Context): Promise<void> {
  try {
    print(receipt);
  } finally {
    await unlessInterrupted(
      () => notifications.finish(),
      () => notifications.stop(),
    );
  }
}

function recipient(to: Client | undefined, { environment }: Context): Client {
  const instead = () => `${slashCommand("send", environment)} (to Desktop)`;
  if (to === "code") refuseInsideClaudeCode("relay send --to code", environment, instead);
  if (to) return to;
  if (isInsideClaudeCode(environment)) return "desktop";
  throw new RelayError("usage", "missing recipient: use --to desktop or --to code");
}

/** The message from words and standard input, and the number of bytes that standard input added to words. */
async function readMessage(
  words: readonly string[],
  to: Client,
  context: Context,
): Promise<{ text: string; added: number }> {
  if (words.length === 0 && context.environment.terminal.stdin) {
    const fix = `Say it, or pipe it in: relay send --to ${to} "the tests pass now"`;
    throw new RelayError("usage", "there is no message", fix);
  }
  const isAwaited = words.length === 0 || words.at(-1) === "-";
  const text = (isAwaited ? words.slice(0, -1) : words).join(" ");
  const input = await readInput(isAwaited, context);
  if (input.length > 0) {
    const decoded = decode(input, to);
    return text === "" ? { text: decoded, added: 0 } : { text: `${text}\n\n${decoded}`, added: input.length };
  }
  if (words.length === 1 && isFile(text)) await confirmName(text, to, context);
  return { text, added: 0 };
}

/** The bytes on standard input. Beside words they are there or come soon, unless a person at a terminal made the pipe. */
async function readInput(isAwaited: boolean, { environment, note }: Context): Promise<Uint8Array> {
  const source = inputSource();
  if (!isAwaited && source === null) return new Uint8Array();
  const mayHang = !isAwaited && source === "pipe" && !isPersonAtTerminal(environment);
  const stream = Bun.stdin.stream();
  const bytes = await (mayHang ? readStarted(stream, inputBytes, inputMilliseconds) : readAll(stream, inputBytes));
  if (bytes === null)
    throw new RelayError("failed", "message is over 16 MB; the limit is 65,536 bytes", "Save it and send the path.");
  if (bytes === undefined)
    note("relay: nothing came on standard input within 2 s, so only your words are sent. To wait for it, end with -");
  return bytes ?? new Uint8Array();
}

function decode(bytes: Uint8Array, to: Client): string {
  try {
    return new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes);
  } catch {
    const fix = `Save it as a file and send its path: relay send --to ${to} "look at /path/to/file"`;
    throw new RelayError("usage", "standard input is not text in UTF-8", fix);
  }
}

/** Asks whether the name of a file is the whole message. Throws `usage` without a terminal, and `failed` for a no. */
async function confirmName(name: string, to: Client, { environment }: Context): Promise<void> {
  const shown = makeVisible(name).text;
  const meant = `relay send --to ${to} < ${shellWord(shown)}`;
  if (!environment.terminal.stdin) {
    const fix = `Did you mean \`${meant}\`? To send the name, say more than the name.`;
    throw new RelayError("usage", `"${name}" is a file, and only its name would be sent`, fix);
  }
  if (await ask(`"${shown}" is a file. To send its text: ${meant}\nSend only its name?`, "[y/N]")) return;
  throw new RelayError("failed", "nothing was sent", `For the file: ${meant}`);
}
