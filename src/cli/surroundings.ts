import type { Environment } from "../environment.ts";
import type { Surroundings } from "../setup/surroundings.ts";
import type { Context } from "./context.ts";

/** What setup works in: this process's place. Throws what `RELAY_DB` or a missing home throws. */
export function surroundingsOf({ environment }: Context, buffer = chosenBuffer(environment)): Surroundings {
  const system = environment.system();
  return {
    system,
    places: environment.places(),
    executable: process.execPath,
    folder: process.cwd(),
    buffer,
  };
}

function chosenBuffer(environment: Environment): string | null {
  return environment.system().variables.RELAY_DB ? environment.bufferPath() : null;
}
