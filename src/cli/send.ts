import { type NewAttachment, textOfFiles } from "../core/attachment.ts";
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
    file: {
      type: "string",
      valueHint: "PATH",
      repeatable: true,
      description: "A file to send along, up to 8 of 8 MB each; - is standard input",
    },
    name: { type: "string", valueHint: "NAME", description: "The name of a file from standard input" },
    project: { type: "string", valueHint: "NAME", description: "The project that it is for, or from" },
    "reply-to": { type: "string", valueHint: "ID", description: "The message that it answers" },
    json: { type: "boolean", description: "Print the receipt as JSON" },
  },
  takesRest: true,
  async run({ args, rest, data: context }) {
    const to = recipient(args.to, context);
    const words = args.text === undefined ? [] : [args.text, ...rest];
    const { text, added, files } = await readMessage(words, args, to, context);
    const message = checkMessage(text);
    const relay = context.relay();
    const typed_in = isPersonAtTerminal(context.environment) ? "terminal" : null;
    const project = checkProject(args.project) ?? (to === "desktop" ? context.environment.project : null);
    const reply_to = checkId("--reply-to", args["reply-to"]);
    const receipt = await relay.send({ sender: otherClient(to), message, typed_in, project, reply_to, files });
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

/** The parts of a message, and the number of bytes that standard input added to words. */
interface Read {
  text: string;
  added: number;
  files: readonly NewAttachment[];
}

/** The message from words, files and standard input. */
async function readMessage(
  words: readonly string[],
  { file: paths = [], name }: { file?: string[]; name?: string },
  to: Client,
  context: Context,
): Promise<Read> {
  const files = await readNamed(paths, name, context);
  if (words.length === 0 && files.length === 0 && context.environment.terminal.stdin) {
    const fix = `Say it, or pipe it in: relay send --to ${to} "the tests pass now"`;
    throw new RelayError("usage", "there is no message", fix);
  }
  const isAwaited = (words.length === 0 && files.length === 0) || words.at(-1) === "-";
  const text = (isAwaited ? words.slice(0, -1) : words).join(" ");
  const input = paths.includes("-") ? new Uint8Array() : await readInput(isAwaited, context);
  if (input.length > 0) {
    const decoded = decode(input, to);
    return text === ""
      ? { text: decoded, added: 0, files }
      : { text: `${text}\n\n${decoded}`, added: input.length, files };
  }
  if (files.length === 0 && words.length > 0 && words.every(isFile) && (await areMeant(words, to, context))) {
    const meant = await readNamed(words, undefined, context);
    return { text: textOfFiles(meant), added: 0, files: meant };
  }
  return { text: text === "" && files.length > 0 ? textOfFiles(files) : text, added: 0, files };
}

async function readNamed(
  paths: readonly string[],
  name: string | undefined,
  context: Context,
): Promise<readonly NewAttachment[]> {
  if (paths.length === 0 && name === undefined) return [];
  return (await import("./named-files.ts")).readNamedFiles(paths, name, context);
}

/** The bytes on standard input. Beside words they are there or come soon, unless a person at a terminal made the pipe. */
async function readInput(isAwaited: boolean, { environment, note }: Context): Promise<Uint8Array> {
  const source = inputSource();
  if (!isAwaited && source === null) return new Uint8Array();
  const mayHang = !isAwaited && source === "pipe" && !isPersonAtTerminal(environment);
  const stream = Bun.stdin.stream();
  const bytes = await (mayHang ? readStarted(stream, inputBytes, inputMilliseconds) : readAll(stream, inputBytes));
  if (bytes === null)
    throw new RelayError("failed", "message is over 16 MB; the limit is 65,536 bytes", "Send it with --file.");
  if (bytes === undefined)
    note(
      "relay: nothing came on standard input within 2 s, so the message is sent without it. To wait for it, end with -",
    );
  return bytes ?? new Uint8Array();
}

function decode(bytes: Uint8Array, to: Client): string {
  try {
    return new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes);
  } catch {
    const fix = `Send it as a file: relay send --to ${to} --file - --name NAME`;
    throw new RelayError("usage", "standard input is not text in UTF-8", fix);
  }
}

/** Asks whether words that are all names of files, as after a drag onto the terminal, stand for the files. Throws `usage` without a terminal. */
async function areMeant(words: readonly string[], to: Client, { environment }: Context): Promise<boolean> {
  const shown = words.map((word) => makeVisible(word).text);
  const [subject, them, itself] =
    words.length === 1 ? ["is a file", "it", "its name"] : ["are files", "them", "their names"];
  const names = shown.map((name) => `"${name}"`).join(", ");
  if (environment.terminal.stdin) return ask(`${names} ${subject}. Send ${them}, and not just ${itself}?`, "[Y/n]");
  const meant = `relay send --to ${to} ${shown.map((name) => `--file ${shellWord(name)}`).join(" ")}`;
  const fix = `Did you mean \`${meant}\`? To send the name, say more than the name.`;
  throw new RelayError("usage", `${names} ${subject}, and only ${itself} would be sent`, fix);
}
