import { noRoomForFiles } from "../../core/attachment.ts";
import { RelayError } from "../../core/errors.ts";

/** The database did not answer a call, and may have done it. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";
}

/** The SQLSTATE of the server's error, or the runtime's own code; empty for any other error. */
export function stateOf(error: unknown): string {
  const { errno, code } = (error ?? {}) as { errno?: unknown; code?: unknown };
  return String((code === "ERR_POSTGRES_SERVER_ERROR" ? errno : code) ?? "");
}

// Another transaction was in the way (40, 55P03), the server stops or starts (57P0), is full (53), or the connection broke (08).
const passing = /^(?:40|55P03|57P0|53|08)|CONNECTION_(?:REFUSED|FAILED|TIMEOUT|CLOSED)$/;

/** Whether the call may succeed if it is tried again. */
export function isPassing(error: unknown): boolean {
  return error instanceof Unanswered || passing.test(stateOf(error));
}

/** Whether the database lacks what this relay needs: the schema, a function, or the newest version of both. */
export function isUnprepared(error: unknown): boolean {
  return ["3F000", "42883", "RL001"].includes(stateOf(error));
}

/** The `buffer` error for an error of the database at `where`, which has no password. */
export function explainPostgres(error: unknown, where: string): unknown {
  if (error instanceof RelayError) return error;
  const state = stateOf(error);
  if (state === "RL003") return noRoomForFiles();
  if (error instanceof Unanswered)
    return new RelayError(
      "buffer",
      `${where} does not answer, so this may or may not have been done`,
      "See what is there: relay log",
    );
  if (state === "") return error;
  const message = (error as Error).message;
  const reasons: [states: RegExp, message: string, fix: string][] = [
    [/^RL002/, `${where} was prepared by a newer relay`, "Upgrade this one."],
    [
      /^28/,
      `${where} does not let you in: ${message}`,
      "Check the user, and the password in the URL, PGPASSWORD or ~/.pgpass.",
    ],
    [/^3D000/, `${where} does not exist`, "Create it: createdb --encoding UTF8 NAME"],
    [
      /^25006/,
      `${where} can only be read: ${message}`,
      "Use the URL of the server that takes changes, or ask its administrator.",
    ],
    [
      /^42501/,
      `${where} does not allow your role this: ${message}`,
      "Ask its administrator to run relay connect URL, or to grant your role the tables of the schema relay.",
    ],
    [
      /^(?:3F000|42883|RL001)/,
      `${where} is not prepared for this relay: ${message}`,
      "Its administrator has to run this relay once: relay connect URL",
    ],
    [/^55P03/, `${where} keeps your rows locked for another program`, "Close that program, or try again."],
    [/^53[12]00/, `${where} has no room left: ${message}`, "Free some and try again; nothing was stored."],
    [
      /TLS|SSL|CERT|VERIFY/,
      `${where} is not encrypted as you want it: ${message}`,
      "Check sslmode and sslrootcert in the URL.",
    ],
    [
      /^(?:ERR_|57P|53|08)/,
      `${where} cannot be reached: ${message}`,
      "Check that it runs and that this machine reaches it, or go back to the file: relay disconnect",
    ],
  ];
  const [, reason, fix] = reasons.find(([states]) => states.test(state)) ?? [state, `${where} failed: ${message}`, ""];
  return new RelayError("buffer", reason, fix);
}
