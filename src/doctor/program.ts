import { realpathSync } from "node:fs";
import { stablePath } from "../setup/program.ts";
import { type Check, ok, warn } from "./check.ts";

/** Which relay this is, and whether a shell would start another one. */
export const checkProgram: Check = ({ surroundings, version }) => {
  const { system, executable } = surroundings;
  const path = stablePath(executable, system);
  const found = system.findAll("relay");
  const own = realpathSync(executable);
  const others = found.filter((each) => realpathSync(each) !== own);
  const itself = ok("relay", `${version}, ${path}`);
  if (found.length === 0) {
    return [
      itself,
      warn("PATH", "has no relay, so a shell does not know it", `Put the folder of ${path} into PATH.`),
    ];
  }
  if (others.length === 0) return [itself];
  const [first] = found;
  const detail =
    first !== undefined && others.includes(first)
      ? `a shell starts another relay: ${first}`
      : `there are other copies: ${others.join(", ")}`;
  return [itself, warn("PATH", detail, `Remove the one that you do not want, and run: relay setup`)];
};
