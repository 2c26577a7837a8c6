import type { CallToolResult, Tool as Definition, TextContent } from "@modelcontextprotocol/sdk/types.js";
import type { Delivery } from "../../core/delivery.ts";
import type { Identity } from "../../core/identity.ts";
import type { Relay } from "../../core/relay.ts";
import type { Environment } from "../../platform/environment.ts";

/** The part of the environment that tells where a page was asked for, who approved that, and where files come from and go. */
export type SessionEnvironment = Pick<
  Environment,
  "project" | "isHosted" | "projectFolder" | "places" | "bufferPath" | "system"
>;

/** A call of a tool or a prompt. */
export interface Call {
  relay: Relay;
  identity: Identity;
  environment: SessionEnvironment;
  /** The folders that a model may send files from; asks the client for its roots. */
  fileFolders(): Promise<string[]>;
  /** Aborts when the client cancels the call. */
  signal: AbortSignal;
  /** Attaches a page to the answer. */
  attach(delivery: Delivery): void;
}

/** A tool: its definition for models, and its function. */
export interface Tool {
  definition: Definition;
  /** Answers the call. Throws a RelayError for what the caller can correct. */
  call(args: Record<string, unknown>, call: Call): Promise<CallToolResult>;
}

/** An answer of plain text, without `structuredContent`, which Claude Code would show instead (facts.md). */
export function textResult(text: string): CallToolResult {
  return { content: [textContent(text)] };
}

/** A text in an answer. */
export function textContent(text: string): TextContent {
  return { type: "text", text };
}

/** Throws `refused` on a server that neither delivers nor clears. */
export function refuse({ refusal }: Identity): void {
  if (refusal) throw refusal;
}
