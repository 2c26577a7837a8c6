import { randomBytes } from "node:crypto";

/** A name for one page's frames that nobody who wrote a message could have known: eight hexadecimal digits. */
export function nonce(): string {
  return randomBytes(4).toString("hex");
}
