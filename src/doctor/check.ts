import type { DatabaseUrl } from "../core/database-url.ts";
import { errorMessage, RelayError } from "../core/errors.ts";
import type { Notifier } from "../core/notifier.ts";
import type { Section } from "../setup/plan.ts";
import type { SetupContext } from "../setup/setup-context.ts";
import type { Configuration } from "./configuration.ts";

/** The finding of a check. */
export interface Finding {
  /** The checked thing, in a word or two. */
  name: string;
  /** `warn`: it works, but not as it should. `fail`: it does not work. */
  status: "ok" | "warn" | "fail";
  detail: string;
  /** `null` if there is nothing to do. */
  fix: string | null;
  /** `false` for an `ok` of something that is not there, or was not tried. */
  checked?: false;
}

/** A finding under the heading of its program. */
export type ListedFinding = Finding & { section: Section };

/** A server as a client starts it. */
export interface ServerCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
}

/** The subject of the checks. */
export interface Subject {
  context: SetupContext;
  configuration: Configuration;
  version: string;
  /** The path of the buffer for this process. Throws as {@link Environment.bufferPath}. */
  bufferPath(): string;
  /** The database in place of the file; `null` if there is none. Throws RelayError. */
  database(): DatabaseUrl | null;
  /** Starts a server, asks for its version and its tools, and ends it. Throws an error with the reason. */
  probe(server: ServerCommand): Promise<{ version: string; tools: string[] }>;
  /** Shows a test notification; `null` if none is wanted. */
  notifier: Notifier | null;
}

/** Checks one thing, and changes nothing. */
export type Check = (subject: Subject) => Finding[] | Promise<Finding[]>;

/** The finding that a thing works. */
export function ok(name: string, detail: string): Finding {
  return { name, status: "ok", detail, fix: null };
}

/** The finding that a thing is not there and need not be, or was not tried. */
export function unchecked(name: string, detail: string): Finding {
  return { ...ok(name, detail), checked: false };
}

/** The finding that a thing works, but not as it should. */
export function warn(name: string, detail: string, fix: string): Finding {
  return { name, status: "warn", detail, fix };
}

/** The finding that a thing does not work. */
export function fail(name: string, detail: string, fix: string): Finding {
  return { name, status: "fail", detail, fix };
}

/** The finding of an error. */
export function failed(name: string, error: unknown): Finding {
  if (error instanceof RelayError && error.fix) return fail(name, error.message, error.fix);
  return fail(name, errorMessage(error), "See the README, Help.");
}
