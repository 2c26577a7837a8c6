/** One of the two Claudes. */
export type Client = "desktop" | "code";

/** Both clients, in the order in which relay names them. */
export const clients: readonly Client[] = ["desktop", "code"];

/** Whether a value names a client. */
export function isClient(value: unknown): value is Client {
  return value === "desktop" || value === "code";
}

/** The client a message from this one goes to. */
export function otherClient(client: Client): Client {
  return client === "desktop" ? "code" : "desktop";
}

/** The client's name as people and models read it. */
export function clientTitle(client: Client): string {
  return client === "desktop" ? "Desktop" : "Code";
}
