import { statSync } from "node:fs";
import { RelayError } from "../errors.ts";
import { refuseInsideClaudeCode } from "../relay/identity.ts";
import type { Surroundings } from "../setup/surroundings.ts";
import type { Context } from "./context.ts";

/**
 * What setup works in: this process's place. Throws what `RELAY_DB` or a missing home throws, and a `failed` error for
 * one user in the home of another, whose files would no longer be theirs.
 */
export function surroundingsOf({ environment }: Context): Surroundings {
  const system = environment.system();
  const places = environment.places();
  const owner = process.getuid ? statSync(places.home, { throwIfNoEntry: false })?.uid : undefined;
  if (owner !== undefined && owner !== process.getuid?.()) {
    throw new RelayError(
      "failed",
      `the home folder ${places.home} is another user's. Run this as that user, without sudo.`,
    );
  }
  return {
    system,
    places,
    executable: process.execPath,
    folder: process.cwd(),
    buffer: system.variables.RELAY_DB ? environment.bufferPath() : null,
  };
}

/**
 * The same for setting up, which a model may do; but not so that its Claude opens another buffer, where no rule of the
 * person's protects the old one. Throws `refused`.
 */
export function setupSurroundingsOf(context: Context, command: string): Surroundings {
  const surroundings = surroundingsOf(context);
  const { claudeCode, terminal } = context.environment;
  if (surroundings.buffer) refuseInsideClaudeCode(`${command} with RELAY_DB`, claudeCode, terminal);
  return surroundings;
}
