import type { Surroundings } from "../setup/surroundings.ts";
import type { Context } from "./context.ts";

/** What setup works in: this process's place. Throws what `RELAY_DB` or a missing home throws. */
export function surroundingsOf({ environment }: Context): Surroundings {
  const system = environment.system();
  return {
    system,
    places: environment.places(),
    executable: process.execPath,
    folder: process.cwd(),
    buffer: system.variables.RELAY_DB ? environment.bufferPath() : null,
  };
}
