import type { CallToolResult, Tool as Definition } from "@modelcontextprotocol/sdk/types.js";
import type { Delivery } from "../../core/delivery.ts";
import type { Identity } from "../../core/identity.ts";
import type { Relay } from "../../core/relay.ts";

/** What a call of a tool, or of a prompt, works with. */
export interface Call {
  relay: Relay;
  identity: Identity;
  /** Aborts when the client cancels the call. */
  signal: AbortSignal;
  /** Says that the answer carries this page. */
  carry(delivery: Delivery): void;
}

/** A tool as models see it, and what it does. */
export interface Tool {
  definition: Definition;
  /** Answers the call. Throws a RelayError for what the caller can correct. */
  call(args: Record<string, unknown>, call: Call): Promise<CallToolResult>;
}

/** An answer of plain text. There is never `structuredContent`: Claude Code would show it instead (facts.md). */
export function textResult(text: string): CallToolResult {
  return { content: [{ type: "text", text }] };
}

/** Throws `refused` on a server that neither delivers nor clears. */
export function refuse({ refusal }: Identity): void {
  if (refusal) throw refusal;
}
