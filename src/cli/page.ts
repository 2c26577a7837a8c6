import type { Claim } from "../core/delivery.ts";
import { RelayError } from "../core/errors.ts";
import type { Context } from "./context.ts";
import { interruptible } from "./interrupt.ts";

/**
 * Prints a page and settles its claim, also when a signal ends the command. Throws WriteFailed, or a `failed` error that
 * ends with `fix` if the page went to another reader, who was given it because this command stood still for too long.
 */
export async function showPage(claim: Claim, text: string, context: Context, fix: string): Promise<void> {
  const fate = await claim.show(() => interruptible(context.begin(text)));
  if (fate !== "taken") return;
  throw new RelayError(
    "failed",
    `this page went to another reader, because this command stood still for too long. ${fix}`,
  );
}
