import { statSync } from "node:fs";
import { RelayError } from "../core/errors.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import type { Environment } from "../platform/environment.ts";
import type { Surroundings } from "../setup/setup-context.ts";
import type { Context } from "./context.ts";

/** What setup works in: this process's place. Throws what `RELAY_DB` or a missing home throws. */
export function surroundingsOf({ environment }: Context, buffer = namedBuffer(environment)): Surroundings {
  return {
    system: environment.system(),
    places: environment.places(),
    executable: process.execPath,
    folder: process.cwd(),
    buffer,
  };
}

/**
 * The same for whoever changes files. Throws a `failed` error, too, for one user in the home of another, whose files
 * would no longer be theirs.
 */
export function ownSurroundingsOf(context: Context): Surroundings {
  const surroundings = surroundingsOf(context);
  const { home } = surroundings.places;
  const owner = process.getuid ? statSync(home, { throwIfNoEntry: false })?.uid : undefined;
  if (owner === undefined || owner === process.getuid?.()) return surroundings;
  throw new RelayError(
    "failed",
    `the home folder ${home} is another user's. Run this as that user, without sudo.`,
  );
}

/**
 * The same for setting up, which a model may do; but not so that its Claude opens another buffer, where no rule of the
 * person's protects the old one. Throws `refused`.
 */
export function setupSurroundingsOf(context: Context, command: string): Surroundings {
  const surroundings = ownSurroundingsOf(context);
  const { claudeCode, terminal } = context.environment;
  if (surroundings.buffer) refuseInsideClaudeCode(`${command} with RELAY_DB`, claudeCode, terminal);
  return surroundings;
}

function namedBuffer(environment: Environment): string | null {
  return environment.system().variables.RELAY_DB ? environment.bufferPath() : null;
}
