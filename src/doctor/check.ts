import { errorMessage, RelayError } from "../core/errors.ts";
import type { Notifier } from "../core/notifier.ts";
import type { SetupContext } from "../setup/setup-context.ts";
import type { Configuration } from "./configuration.ts";

/** What one look found. */
export interface Finding {
  /** The thing that was looked at, in a word or two. */
  name: string;
  /** `warn`: it works, but not as it should. `fail`: it does not. */
  status: "ok" | "warn" | "fail";
  detail: string;
  /** What to do about it; `null` if there is nothing to do. */
  fix: string | null;
}

/** A server as a client starts it. */
export interface ServerCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
}

/** What the checks look at. */
export interface Subject {
  context: SetupContext;
  configuration: Configuration;
  version: string;
  /** Where relay keeps the buffer here. Throws what {@link Environment.bufferPath} throws. */
  bufferPath(): string;
  /** Starts a server, asks for its version and its tools, and ends it. Throws what went wrong. */
  probe(server: ServerCommand): Promise<{ version: string; tools: string[] }>;
  /** Shows a test notification; `null` if none is wanted. */
  notifier: Notifier | null;
}

/** Looks at one thing, and changes nothing. */
export type Check = (subject: Subject) => Finding[] | Promise<Finding[]>;

/** It works. */
export function ok(name: string, detail: string): Finding {
  return { name, status: "ok", detail, fix: null };
}

/** It works, but not as it should. */
export function warn(name: string, detail: string, fix: string): Finding {
  return { name, status: "warn", detail, fix };
}

/** It does not work. */
export function fail(name: string, detail: string, fix: string): Finding {
  return { name, status: "fail", detail, fix };
}

/** It does not work, as an error says that carries its own fix. */
export function failed(name: string, error: unknown): Finding {
  if (error instanceof RelayError && error.fix) return fail(name, error.message, error.fix);
  return fail(name, errorMessage(error), "See the README, Troubleshooting.");
}
