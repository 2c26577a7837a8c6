import { type Client, clientTitle, isClient, otherClient } from "./client.ts";
import { RelayError } from "./errors.ts";
import { filesPerMessage, messageBytes, windowSize } from "./limits.ts";
import { projectName } from "./project.ts";
import { defaultPreference } from "./store.ts";
import { quoteValue, thousands } from "./words.ts";

const defaultLimit = 5;

/** The arguments of a tool; none if they are absent. Throws `usage` if they are not an object. */
export function checkArguments(value: unknown): Record<string, unknown> {
  if (isAbsent(value)) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  throw usageError(`arguments is ${quoteValue(value)}; it must be an object`, "Send the names with their values.");
}

/**
 * The text to store: as given, but lone surrogates, which UTF-8 cannot carry, become U+FFFD. Throws `usage` if it is not
 * text, is empty, or is longer than 65,536 bytes of UTF-8.
 */
export function checkMessage(value: unknown): string {
  if (value === "") throw usageError("message is empty", "Give the text to send.");
  if (isAbsent(value)) throw usageError("message is missing", "Give the text to send.");
  if (typeof value !== "string")
    throw usageError(`message is ${quoteValue(value)}; it must be text`, "Send it as a string.");
  const text = value.toWellFormed();
  const bytes = Buffer.byteLength(text);
  if (bytes <= messageBytes) return text;
  throw usageError(
    `message is ${thousands(bytes)} bytes; the limit is ${thousands(messageBytes)}`,
    "Save it, and send it as a file.",
  );
}

/** The paths of files to send; none if they are absent. Throws `usage` if they are no list of texts, or more than eight. */
export function checkFiles(value: unknown): string[] {
  if (isAbsent(value)) return [];
  const isPath = (path: unknown) => typeof path === "string" && path !== "" && !path.includes("\0");
  if (!Array.isArray(value) || !value.every(isPath))
    throw usageError(`files is ${quoteValue(value)}; it must be a list of paths`, 'Send them as ["path/of/a/file"].');
  if (value.length <= filesPerMessage) return value;
  throw usageError(`files names ${value.length}; a message has at most ${filesPerMessage}`, "Send several messages.");
}

/** The name of a file: no path, at most 255 bytes. Throws `usage`. */
export function checkFileName(value: unknown): string {
  const isName = typeof value === "string" && /^[^/\\\p{Cc}]+$/u.test(value) && !/^\.{1,2}$/.test(value);
  if (isName && Buffer.byteLength(value) <= 255) return value;
  throw usageError(`--name is ${quoteValue(value)}; it must be the name of a file`, "Leave out its folders.");
}

/**
 * The limit of a page: a whole number, or one written as text, brought into 1 to 20. Throws `usage`, also for one below
 * `least`.
 */
export function checkLimit(value: unknown, least = Number.NEGATIVE_INFINITY): number {
  if (isAbsent(value)) return defaultLimit;
  const number = typeof value === "string" && /^[+-]?\d+$/.test(value) ? Number(value) : value;
  const isWhole = typeof number === "number" && (Number.isInteger(number) || Math.abs(number) === Infinity);
  if (!isWhole || number < least) {
    throw usageError(
      `limit is ${quoteValue(value)}; it must be a whole number from 1 to ${windowSize}`,
      `Leave it out for ${defaultLimit}.`,
    );
  }
  return Math.min(windowSize, Math.max(1, number));
}

/** A boolean, or one written as text in any case; `fallback` if it is absent. Throws `usage`. */
export function checkFlag(name: string, value: unknown, fallback: boolean): boolean {
  if (isAbsent(value)) return fallback;
  if (typeof value === "boolean") return value;
  if (typeof value === "string" && /^(true|false)$/i.test(value)) return value.toLowerCase() === "true";
  throw usageError(`${name} is ${quoteValue(value)}; it must be true or false`, `Leave it out for ${fallback}.`);
}

/**
 * The client that the argument `name` names, in any case, on a server of the client `self`; `null` if both are absent.
 * Throws `usage` for anything but a client, and for a client that contradicts `self`.
 */
export function checkClient(name: "sender" | "reader", value: unknown, self: Client | null): Client | null {
  if (isAbsent(value)) return self;
  const client = typeof value === "string" ? value.toLowerCase() : value;
  if (!isClient(client)) {
    const fix = self ? `Leave ${name} out.` : `Say ${name} "desktop" or "code".`;
    throw usageError(`${name} is ${quoteValue(value)}; it must be "desktop" or "code"`, fix);
  }
  if (!self || client === self) return client;
  throw usageError(
    `${name} is "${client}", but this is ${clientTitle(self)}, not ${clientTitle(otherClient(self))}`,
    `Leave ${name} out.`,
  );
}

/** As {@link checkClient}, for a send, which needs a sender. */
export function checkSender(value: unknown, self: Client | null): Client {
  const sender = checkClient("sender", value, self);
  if (sender) return sender;
  throw usageError("sender is missing, and relay cannot tell who you are", 'Say sender "desktop" or "code".');
}

/** The name of a project; `null` if it is absent. Throws `usage` if it is no text. */
export function checkProject(value: unknown): string | null {
  if (isAbsent(value)) return null;
  if (typeof value === "string") return projectName(value);
  throw usageError(`project is ${quoteValue(value)}; it must be text`, "Give the project's name, or leave it out.");
}

/** The id of a message, also written as text; `null` if it is absent. Throws `usage`. */
export function checkId(name: string, value: unknown): number | null {
  if (isAbsent(value)) return null;
  const id = typeof value === "string" && /^#?\d+$/.test(value) ? Number(value.replace("#", "")) : value;
  if (typeof id === "number" && Number.isSafeInteger(id) && id > 0) return id;
  throw usageError(
    `${name} is ${quoteValue(value)}; it must be the id of a message`,
    "Pages and `relay log` show ids.",
  );
}

// Claude Desktop passes this text for a bundle's setting that has no value (facts.md).
const unsetSetting = `\${user_config.sound}`;

/** The sound of a preference: `"default"` if none is named, `"off"`, or a name. Throws `usage`. */
export function checkSound(value: unknown): string {
  if (isAbsent(value) || value === unsetSetting) return defaultPreference.sound;
  if (typeof value === "string" && isSoundName(value)) return value;
  throw usageError(
    `--sound is ${quoteValue(value)}; it must be off or the name of a sound`,
    'Use letters, digits, spaces, ".", "_" and "-".',
  );
}

/** Whether a sound may have this name. Other programs can write the buffer, and a name becomes part of a path. */
export function isSoundName(name: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N} ._-]{0,63}$/u.test(name);
}

// Clients that have to give every argument leave one empty.
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function usageError(message: string, fix: string): RelayError {
  return new RelayError("usage", message, fix);
}
