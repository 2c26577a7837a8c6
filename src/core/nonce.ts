/** A name for one page's frames that nobody who wrote a message could have known: eight hexadecimal digits. */
export function nonce(): string {
  return crypto.getRandomValues(new Uint8Array(4)).toHex();
}
