import { nonce } from "../core/nonce.ts";
import { type Asked, frameLatest, framePage } from "../core/page.ts";
import { checkClient, checkFlag, checkLimit } from "../core/validate.ts";
import { type Call, refuse } from "./tools/tool.ts";

/** What `relay_fetch` and the prompt `get` both do: claims a page for the answer, and frames it. */
export async function fetchPage(args: Record<string, unknown>, asked: Asked, call: Call): Promise<string> {
  const { relay, identity, signal, inTurn, carry } = call;
  refuse(identity);
  const limit = checkLimit(args.limit);
  const unreadOnly = checkFlag("unread_only", args.unread_only, true);
  const reader = checkClient("reader", args.reader, identity.client);
  if (!reader) return frameLatest(await relay.latest(limit), asked, nonce);
  return inTurn(async () => {
    const { page, claim } = await relay.fetch({ reader, limit, includeRead: !unreadOnly }, signal);
    const text = framePage(page, reader, asked, nonce);
    carry(claim);
    return text;
  }, signal);
}
