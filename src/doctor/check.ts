import type { Notifier } from "../core/notifier.ts";
import type { SetupContext } from "../setup/setup-context.ts";
import type { Configuration } from "./configuration.ts";

/** What one look found. */
export interface Finding {
  /** What was looked at, in a word or two. */
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

/** What a server that was started says of itself. */
interface Answer {
  version: string;
  tools: string[];
}

/** What the checks look at. */
export interface Subject {
  surroundings: SetupContext;
  configuration: Configuration;
  version: string;
  /** Where relay keeps the buffer here. Throws what {@link Environment.bufferPath} throws. */
  bufferPath(): string;
  /** Starts a server, asks what it is and ends it. Throws what went wrong. */
  probe(server: ServerCommand): Promise<Answer>;
  /** Shows a test notification; `null` if none is wanted. */
  notifier: Notifier | null;
}

/** Looks at one thing, and changes nothing. */
export type Check = (subject: Subject) => Finding[] | Promise<Finding[]>;

/** All is well with it. */
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

/** A finding of an error that carries its own fix, as relay's do: the last sentence. */
export function failed(name: string, message: string): Finding {
  const [, detail = message, fix = "See relay --help."] = /^(.*?[.;]) ([^.;].*)$/s.exec(message) ?? [];
  return fail(name, detail.replace(/[.;]$/, ""), fix);
}
