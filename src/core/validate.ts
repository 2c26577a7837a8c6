import { type Client, clientTitle, isClient, otherClient } from "./client.ts";
import { RelayError } from "./errors.ts";
import { windowSize } from "./limits.ts";
import { defaultWish } from "./store.ts";

// The largest message, in bytes of UTF-8.
const messageBytes = 65_536;

// How many messages a fetch asks for if it does not say.
const defaultLimit = 5;

/**
 * The text to store: as given, but for lone surrogates, which UTF-8 cannot carry and which become U+FFFD. Throws
 * `usage` when it is no text, empty, or longer than 65,536 bytes of UTF-8.
 */
export function checkMessage(value: unknown): string {
  if (isAbsent(value)) throw wrong("message is missing. Give the text to send.");
  if (typeof value !== "string")
    throw wrong(`message is ${describe(value)}; it must be text. Send it as a string.`);
  if (value === "") throw wrong("message is empty. Give the text to send.");
  const text = value.toWellFormed();
  const bytes = Buffer.byteLength(text);
  if (bytes <= messageBytes) return text;
  throw wrong(
    `message is ${grouped(bytes)} bytes; the limit is ${grouped(messageBytes)}. Send it in parts, or save it and send the path.`,
  );
}

/** How many messages are asked for: a whole number, or one written as text, brought into 1 to 20. Throws `usage`. */
export function checkLimit(value: unknown): number {
  if (isAbsent(value)) return defaultLimit;
  const number = typeof value === "string" && /^[+-]?\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !(Number.isInteger(number) || Math.abs(number) === Infinity)) {
    throw wrong(
      `limit is ${describe(value)}; it must be a whole number from 1 to ${windowSize}. Leave it out for ${defaultLimit}.`,
    );
  }
  return Math.min(windowSize, Math.max(1, number));
}

/** A yes or no, `fallback` if it was left out. Throws `usage`. */
export function checkFlag(name: string, value: unknown, fallback: boolean): boolean {
  if (isAbsent(value)) return fallback;
  if (typeof value === "boolean") return value;
  throw wrong(`${name} is ${describe(value)}; it must be true or false. Leave it out for ${fallback}.`);
}

/**
 * The client that `name` ("sender" or "reader") stands for on a server that is `self`, or that nobody could identify.
 * `null` when neither says. Throws `usage` for anything but a client, and for a client that the server is not.
 */
export function checkClient(name: "sender" | "reader", value: unknown, self: Client | null): Client | null {
  if (isAbsent(value)) return self;
  if (!isClient(value)) {
    throw wrong(
      `${name} is ${describe(value)}; it must be "desktop" or "code"${self ? ". Leave it out." : "."}`,
    );
  }
  if (!self || value === self) return value;
  throw wrong(
    `${name} is "${value}", but this is ${clientTitle(self)}, not ${clientTitle(otherClient(self))}. Leave ${name} out.`,
  );
}

/** Like {@link checkClient} for a send, where somebody has to be named. */
export function checkSender(value: unknown, self: Client | null): Client {
  const sender = checkClient("sender", value, self);
  if (sender) return sender;
  throw wrong('sender is missing, and relay cannot tell who you are. Say sender "desktop" or "code".');
}

/**
 * The sound of a wish: `"default"` if none is named, `"off"`, or a name. What others stored may be anything, so a name
 * that no system has is refused, and never part of a path. Throws `usage`.
 */
export function checkSound(value: unknown): string {
  if (isAbsent(value) || value === "" || value === unsetSetting) return defaultWish.sound;
  if (typeof value === "string" && isSoundName(value)) return value;
  throw wrong(
    `--sound is ${describe(value)}; it must be off, or a name of letters, digits, spaces, ".", "_" and "-".`,
  );
}

// What Claude Desktop leaves of a bundle's setting that nobody set (facts.md).
const unsetSetting = `\${user_config.sound}`;

/** Whether a sound may have this name. */
export function isSoundName(name: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N} ._-]{0,63}$/u.test(name);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function wrong(message: string): RelayError {
  return new RelayError("usage", message);
}

/**
 * A value as an error may quote it: short, and with nothing that could be taken for relay's own words. What has parts is
 * not quoted: to write it out only to cut it off may take seconds.
 */
export function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  const text = JSON.stringify(value);
  return text.length <= 40 ? text : `${text.slice(0, 40)}… (${grouped(text.length)} characters)`;
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
