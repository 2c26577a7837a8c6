import type { CallToolResult, Tool as Definition } from "@modelcontextprotocol/sdk/types.js";
import type { Claim } from "../../core/delivery.ts";
import { RelayError } from "../../core/errors.ts";
import type { Identity } from "../../core/identity.ts";
import type { Relay } from "../../core/relay.ts";

/** What a call of a tool, or a prompt, works with. */
export interface Call {
  relay: Relay;
  identity: Identity;
  /** Aborts when the client stops waiting. */
  signal: AbortSignal;
  /** Runs work that claims a page once every page before it was delivered, or was not; throws if the signal aborts first. */
  inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Says that the answer carries this claim. */
  carry(claim: Claim | null): void;
}

/** A tool as models see it, and what it does. */
export interface Tool {
  definition: Definition;
  /** Answers the call. Throws a RelayError for what the caller can mend. */
  call(args: Record<string, unknown>, call: Call): Promise<CallToolResult>;
}

/** An answer of plain text. There is never `structuredContent`: Claude Code would show it instead (facts.md). */
export function textResult(text: string): CallToolResult {
  return { content: [{ type: "text", text }] };
}

/** Throws `refused` where nobody would ask the person before messages are delivered or deleted. */
export function refuse({ refusal }: Identity): void {
  if (refusal) throw new RelayError("refused", refusal);
}
